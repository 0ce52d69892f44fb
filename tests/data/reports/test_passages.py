"""Articles cut into passages: nothing lost, and labels from the passage's own sentences."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from conflictnlp.data.reports.passages import article_passages
from conflictnlp.text import find_mentions

ARTICLES = [
    json.loads(line)
    for name in ("features.jsonl", "releases.jsonl")
    for line in resources.files("conflictnlp.data.reports").joinpath(name).read_text("utf-8").splitlines()
]
ARTICLE = {
    "title": "Army stuck at Tarn",
    "sentences": [
        "The army has not entered Tarn.",
        "Rebels hold the bridge.",
        "In June the army lost Orro.",
        "It rained.",
        "The army took Pell on Friday, then the rebels took it back.",
        "The army is poorly paid.",
    ],
    "actors": [
        {
            "names": ["army"],
            "main": "stalemate",
            "codes": {"title": "stalemate", "0": "stalemate", "2": "losing", "4": "gaining", "5": "none"},
        },
        {"names": ["Tarn rebels", "rebels"], "main": "none", "codes": {"1": "none", "4": "gaining"}},
    ],
}


def labels(number: int) -> list[dict[str, str]]:
    return [
        {actor["names"][0]: actor["label"] for actor in passage["actors"]}
        for passage in article_passages(ARTICLE, number)
    ]


def test_the_title_is_a_line_of_its_own_before_the_lead():
    first, *others = article_passages(ARTICLE, 0)
    assert first["text"] == "Army stuck at Tarn\nThe army has not entered Tarn. Rebels hold the bridge."
    assert not any("\n" in passage["text"] for passage in others)


@pytest.mark.parametrize("number", range(3))
def test_every_sentence_stands_in_one_passage(number):
    text = " ".join(passage["text"].replace("\n", " ") for passage in article_passages(ARTICLE, number))
    assert text == " ".join([ARTICLE["title"], *ARTICLE["sentences"]])


def test_a_passage_has_the_label_of_its_sentences():
    assert labels(0) == [
        {"army": "stalemate", "rebels": "none"},
        {"army": "losing"},
        {"army": "gaining", "rebels": "gaining"},
    ]


def test_of_several_courses_the_article_s_main_one_is_taken():
    # One passage holds a stalemate in the title and lead, a loss and a gain.
    article = {**ARTICLE, "sentences": [" ".join(ARTICLE["sentences"])]}
    article["actors"] = [{"names": ["army"], "main": "losing", "codes": {"title": "stalemate", "0": "losing"}}]
    (passage,) = article_passages(article, 0)
    assert passage["actors"] == [{"names": ["army"], "label": "losing"}]


def test_of_several_courses_none_of_which_is_the_main_one_the_latest_is_taken():
    actor = {"names": ["army"], "main": "none", "codes": {"title": "gaining", "0": "losing"}}
    (passage,) = article_passages({**ARTICLE, "sentences": ["The army fled."], "actors": [actor]}, 0)
    assert passage["actors"] == [{"names": ["army"], "label": "losing"}]


def test_an_actor_is_asked_about_only_by_names_that_stand_in_the_passage():
    actor = {"names": ["Tarn rebels", "rebels"], "main": "none", "codes": {"title": "none", "0": "none", "1": "none"}}
    sentences = ["Tarn rebels fled.", "It rained.", "More rebels came."]
    passages = list(article_passages({"title": "Rebels", "sentences": sentences, "actors": [actor]}, 0))
    assert [[found["names"] for found in passage["actors"]] for passage in passages] == [
        [["Tarn rebels", "rebels"]],
        [["rebels"]],
    ]


class TestFile:
    """What was written and coded."""

    def test_just_the_sentences_that_name_an_actor_are_coded(self):
        for article in ARTICLES:
            places = {"title": article["title"], **{str(at): text for at, text in enumerate(article["sentences"])}}
            for actor in article["actors"]:
                naming = {place for place, text in places.items() if find_mentions(text, actor["names"])}
                assert naming == set(actor["codes"]), (article["title"], actor["names"])

    def test_codes_are_the_task_s(self, momentum_task):
        codes = {code for a in ARTICLES for actor in a["actors"] for code in (actor["main"], *actor["codes"].values())}
        assert codes == set(momentum_task.label_names)
