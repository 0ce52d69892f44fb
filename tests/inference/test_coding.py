from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.data.actors import Actor
from conflictnlp.data.example import Example
from conflictnlp.inference.coding import Coder
from conflictnlp.inference.model import Model
from conflictnlp.inference.prediction import Prediction
from conflictnlp.task import Label, Task

MOVES = "On Monday IS advanced on Ostra. On Monday the army retreated from Velm, not IS."
IS, ARMY = Actor("Islamic State", ("IS",)), Actor("the army")


class Fixed:
    """A model that answers every text alike and remembers what it was asked."""

    ref, fingerprint = "models:/event_type/1", "ab" * 32

    def __init__(self, kind: str, chances: dict[str, float], chosen: tuple[str, ...] = ()) -> None:
        self.task = Task("event_type", kind, tuple(Label(name, "") for name in chances))  # type: ignore[arg-type]
        self.answer = Prediction(max(chances, key=chances.__getitem__), chosen, max(chances.values()), chances)
        self.asked: list[str] = []

    def predict_examples(self, examples: Iterable[Example], _: float | None = None) -> Iterator[Prediction]:
        for example in examples:
            self.asked.append(example.text)
            yield self.answer


def article(text: str, name: str = "a", title: str = "", date: str | None = None) -> Example:
    return Example(where=name, id=name, text=text, title=title, date=date)


def event_types(model: Any, abstain_below: float | None = None) -> list[str | None]:
    (record,) = Coder(event_type=model, abstain_below=abstain_below).code([article("Any.")])
    return [event["label"] for event in record["event_types"]]


@pytest.fixture(scope="module")
def coder(topic_bundle: Path, event_type_bundle: Path, actor_bundle: Path) -> Coder:
    return Coder(Model(topic_bundle), Model(event_type_bundle), Model(actor_bundle), (IS, ARMY))


@pytest.fixture(scope="module")
def coded(coder: Coder) -> dict[str, Any]:
    (record,) = coder.code([article(MOVES, "moves", date="2017-01-16")])
    return record


class TestRecord:
    """One article's record, key by key."""

    def test_keys_stand_in_the_contracts_order(self, coded: dict[str, Any]) -> None:
        assert list(coded) == ["id", "date", "topic", "event_types", "actors", "models", "error"]
        assert list(coded["topic"]) == ["label", "probability"]
        assert [list(event) for event in coded["event_types"]] == [["label", "probability"]] * len(coded["event_types"])

    def test_an_actor_has_its_course_and_the_evidence(self, coded: dict[str, Any]) -> None:
        (first, second) = coded["actors"]
        assert list(first) == ["name", "mentions", "label", "probability", "probabilities", "evidence"]
        assert [(actor["name"], actor["label"]) for actor in (first, second)] == [
            ("Islamic State", "gaining"),
            ("the army", "losing"),
        ]
        assert list(first["probabilities"]) == ["none", "losing", "gaining"]
        assert first["probability"] == first["probabilities"]["gaining"]

    def test_mentions_are_offsets_into_the_text(self, coded: dict[str, Any]) -> None:
        assert [MOVES[start:end] for start, end in coded["actors"][0]["mentions"]] == ["IS", "IS"]
        assert coded["actors"][1]["mentions"] == [[42, 50]]

    def test_evidence_quotes_the_text(self, coded: dict[str, Any]) -> None:
        for actor in coded["actors"]:
            assert actor["evidence"]
            for piece in actor["evidence"]:
                assert list(piece) == ["start", "end", "text", "probabilities", "weight"]
                assert MOVES[piece["start"] : piece["end"]] == piece["text"]

    def test_models_are_named_with_their_fingerprints(self, coded: dict[str, Any], actor_bundle: Path) -> None:
        assert list(coded["models"]) == ["topic", "event_type", "momentum"]
        model = Model(actor_bundle)
        assert coded["models"]["momentum"] == {"model": str(actor_bundle), "bundle": model.fingerprint}

    def test_id_and_date_are_the_articles(self, coded: dict[str, Any]) -> None:
        assert (coded["id"], coded["date"], coded["error"]) == ("moves", "2017-01-16", None)

    def test_the_answers_are_the_models_own(self, coder: Coder, coded: dict[str, Any]) -> None:
        assert coder.topic is not None and coder.momentum is not None
        topic, course = coder.topic.predict(MOVES), coder.momentum.predict(MOVES, actor="the army")
        assert coded["topic"] == {"label": topic.label, "probability": pytest.approx(topic.probability)}
        assert coded["actors"][1]["probabilities"] == pytest.approx(course.probabilities)


class TestActors:
    """Whose course is told."""

    def test_an_actor_that_is_not_named_gives_no_entry(self, coder: Coder) -> None:
        (record,) = coder.code([article("Rain fell on the island; this is all.")])
        assert record["actors"] == []
        assert record["error"] is None

    def test_an_actor_that_only_the_title_names_is_told_without_mentions(self, coder: Coder) -> None:
        (record,) = coder.code([article("The group took Ostra.", title="IS advanced on Ostra")])
        assert [(actor["name"], actor["mentions"]) for actor in record["actors"]] == [("Islamic State", [])]

    def test_a_title_moves_no_mention(self, coder: Coder) -> None:
        (record,) = coder.code([article("Élan: 🙂 IS fled.", title="War news")])
        assert record["actors"][0]["mentions"] == [[8, 10]]

    def test_each_article_has_its_own(self, coder: Coder) -> None:
        records = list(coder.code([article("IS met."), article("Rain."), article("The army met IS.")]))
        assert [[actor["name"] for actor in record["actors"]] for record in records] == [
            ["Islamic State"],
            [],
            ["Islamic State", "the army"],
        ]


class TestFoundActors:
    """Actors that the momentum model finds by itself."""

    @pytest.fixture(scope="class")
    def momentum(self, finding_bundle: Path) -> Model:
        return Model(finding_bundle, device="cpu")

    @staticmethod
    def names(coder: Coder, text: str, title: str = "") -> list[str]:
        (record,) = coder.code([article(text, title=title)])
        return [actor["name"] for actor in record["actors"]]

    def test_where_nobody_is_named_all_are_found(self, momentum: Model) -> None:
        (record,) = Coder(momentum=momentum).code([article("IS met the Syrian army. The army fled.")])
        assert [(actor["name"], actor["mentions"]) for actor in record["actors"]] == [
            ("IS", [[0, 2]]),
            ("Syrian army", [[11, 22], [28, 32]]),
        ]
        assert all(actor["evidence"] for actor in record["actors"])

    def test_named_ones_alone_are_asked_about_unless_others_are_wanted(self, momentum: Model) -> None:
        assert self.names(Coder(momentum=momentum, actors=(IS,)), "FARC met IS.") == ["Islamic State"]

    def test_wanted_others_stand_beside_the_named_ones(self, momentum: Model) -> None:
        coder = Coder(momentum=momentum, actors=(IS,), find_actors=True)
        assert self.names(coder, "FARC met IS and the Syrian army.") == ["Islamic State", "FARC", "Syrian army"]

    @pytest.mark.parametrize("title", ["", "IS again"])
    def test_one_that_overlaps_a_named_one_is_not_asked_about_twice(self, momentum: Model, title: str) -> None:
        coder = Coder(momentum=momentum, actors=(IS,), find_actors=True)
        assert self.names(coder, "Then Islamic State fighters met FARC.", title) == ["Islamic State", "FARC"]

    def test_a_named_one_has_what_is_found_under_other_names(self, momentum: Model) -> None:
        coder = Coder(momentum=momentum, actors=(Actor("Assad", ("Syrian army",)),), find_actors=True)
        (record,) = coder.code([article("IS met the Syrian army. The army fled.")])
        assert [(actor["name"], actor["mentions"]) for actor in record["actors"]] == [
            ("Assad", [[11, 22], [28, 32]]),
            ("IS", [[0, 2]]),
        ]

    def test_without_the_wish_nothing_found_is_added(self, momentum: Model) -> None:
        coder = Coder(momentum=momentum, actors=(Actor("Assad", ("Syrian army",)),))
        (record,) = coder.code([article("IS met the Syrian army. The army fled.")])
        assert [actor["mentions"] for actor in record["actors"]] == [[[11, 22]]]

    def test_mentions_of_the_title_are_not_told_as_places(self, momentum: Model) -> None:
        (record,) = Coder(momentum=momentum).code([article("Then FARC fled.", title="FARC news")])
        (actor,) = record["actors"]
        assert actor["mentions"] == [[5, 9]]
        assert [piece["text"] for piece in actor["evidence"]] == ["FARC news", "Then FARC fled."]

    def test_a_text_without_actors_has_none(self, momentum: Model) -> None:
        (record,) = Coder(momentum=momentum).code([article("Rain fell.")])
        assert (record["actors"], record["error"]) == ([], None)

    def test_each_article_has_its_own(self, momentum: Model) -> None:
        texts = ["IS fled.", " ", "Rain.", "FARC met IS."]
        records = list(Coder(momentum=momentum).code(article(text) for text in texts))
        assert [[actor["name"] for actor in record["actors"]] for record in records] == [["IS"], [], [], ["FARC", "IS"]]


class TestEventTypes:
    """The most probable one, and every other that is probable enough."""

    def test_highest_first_and_the_improbable_left_out(self) -> None:
        assert event_types(Fixed("single", {"a": 0.25, "b": 0.15, "c": 0.6})) == ["c", "a"]

    def test_those_that_are_less_probable_than_wanted_are_left_out(self) -> None:
        chances = {"a": 0.25, "b": 0.15, "c": 0.6}
        assert [event_types(Fixed("single", chances), least) for least in (0.2, 0.6, 0.7)] == [
            ["c", "a"],
            ["c"],
            [None],
        ]
        several = {"a": 0.45, "b": 0.9, "c": 0.1}
        assert [event_types(Fixed("multi", several, ("a", "b")), least) for least in (0.4, 0.5, 0.95)] == [
            ["b", "a"],
            ["b"],
            [None],
        ]

    def test_exactly_a_fifth_is_not_above_it(self) -> None:
        assert event_types(Fixed("single", {"a": 0.8, "b": 0.2})) == ["a"]

    def test_one_is_told_however_improbable(self) -> None:
        assert event_types(Fixed("single", {f"t{n}": 0.1 + (n == 3) * 0.001 for n in range(10)})) == ["t3"]

    def test_ties_keep_the_declared_order(self) -> None:
        assert event_types(Fixed("single", {"b": 0.4, "a": 0.4, "c": 0.2})) == ["b", "a"]

    def test_a_multi_label_models_own_thresholds_decide(self) -> None:
        assert event_types(Fixed("multi", {"a": 0.45, "b": 0.9, "c": 0.1}, ("b", "c"))) == ["b", "c"]

    def test_a_multi_label_model_that_predicts_nothing_tells_its_best(self, multi_bundle: Path) -> None:
        model = Model(multi_bundle)
        assert model.predict("Any.").labels == ()
        assert len(event_types(model)) == 1


class TestCorpus:
    """Many articles."""

    def test_an_empty_text_carries_an_error_and_every_key(self, coder: Coder, coded: dict[str, Any]) -> None:
        (record,) = coder.code([article(" \r\n", title="IS advanced")])
        assert list(record) == list(coded)
        assert (record["topic"], record["event_types"], record["actors"]) == (None, [], [])
        assert record["error"] == "empty text"

    def test_missing_models_leave_their_part_empty(self) -> None:
        (record,) = Coder(actors=(IS,)).code([article(MOVES)])
        assert (record["topic"], record["event_types"], record["actors"]) == (None, [], [])
        assert record["models"] == {"topic": None, "event_type": None, "momentum": None}

    @pytest.mark.parametrize("count", [0, 1, 64, 65, 129])
    def test_order_is_kept_over_the_borders_of_chunks(self, coder: Coder, count: int) -> None:
        texts = [("IS", "The army", "")[n % 3] for n in range(count)]
        records = list(coder.code(article(f"{text} met." * bool(text), str(n)) for n, text in enumerate(texts)))
        assert [record["id"] for record in records] == [str(n) for n in range(count)]
        named = {"IS": "Islamic State", "The army": "the army"}
        assert [[actor["name"] for actor in record["actors"]] for record in records] == [
            [named[text]] if text else [] for text in texts
        ]

    def test_articles_are_read_as_they_are_wanted(self) -> None:
        model = Fixed("single", {"a": 0.8, "b": 0.2})
        endless = (article(f"text {n}") for n in iter(int, 1))
        assert len(list(islice(Coder(event_type=model).code(endless), 3))) == 3  # type: ignore[arg-type]
        assert len(model.asked) <= 64
