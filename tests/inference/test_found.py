"""Articles asked about the actors that the model finds in them."""

from __future__ import annotations

import pytest

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.inference import Model
from conflictnlp.inference.found import asking_about_found, found_questions

MET = "On Monday IS met the Syrian army. Later the army fled."


@pytest.fixture(scope="module")
def model(finding_bundle) -> Model:
    return Model(finding_bundle, device="cpu")


def article(text: str, title: str = "") -> Example:
    return Example("row", "1", text, title=title)


def asked(rows, model, columns=None) -> list[tuple[int, str]]:
    """(number of the row, actor) of every question."""
    values = [Row(str(number), row) for number, row in enumerate(rows)]
    pairs = found_questions(values, model, columns or ColumnsConfig())
    return [(int(row.where), dict(question.spans)["actor"].words) for row, question in pairs]


class TestModel:
    """A bundle with a tagger, and one without."""

    def test_a_bundle_says_whether_it_finds_actors(self, model, actor_bundle):
        assert (model.finds_actors, Model(actor_bundle).finds_actors) == (True, False)

    def test_actors_are_found_with_all_their_mentions(self, model):
        (parties,) = model.find_actors([MET])
        assert [(party.name, party.aliases) for party in parties] == [("IS", ()), ("Syrian army", ("army",))]
        assert [MET[start:end] for start, end in parties[1].mentions] == ["Syrian army", "army"]

    def test_texts_keep_their_order(self, model):
        found = model.find_actors(["FARC fled.", "Rain.", "IS fled."])
        assert [[party.name for party in parties] for parties in found] == [["FARC"], [], ["IS"]]

    def test_without_a_tagger_they_must_be_named(self, actor_bundle):
        with pytest.raises(InputError, match="this model finds no actors by itself; name them"):
            Model(actor_bundle).find_actors([MET])

    def test_predict_still_needs_an_actor(self, model):
        with pytest.raises(InputError, match="reads a text for one actor"):
            model.predict(MET)


class TestAsking:
    """One question an actor."""

    def test_a_question_knows_every_mention(self, model):
        ((one, other),) = asking_about_found([article(MET)], model)
        assert dict(other.spans)["actor"].words == "Syrian army|army"
        assert dict(other.spans)["actor"].mentions == ((21, 32), (44, 48))
        assert one.passage(model.task).spans == (((10, 12),),)

    def test_mentions_in_the_title_have_offsets_before_the_text(self, model):
        ((question,),) = asking_about_found([article("FARC fled.", "Rain on FARC ")], model)
        assert dict(question.spans)["actor"].mentions == ((-5, -1), (0, 4))
        passage = question.passage(model.task)
        assert [passage.text[start:end] for start, end in passage.spans[0]] == ["FARC", "FARC"]

    def test_an_answer_is_that_to_the_named_actor(self, model):
        ((one, other),) = asking_about_found([article(MET)], model)
        answers = list(model.predict_examples([one, other]))
        assert [answer.actor for answer in answers] == ["IS", "Syrian army"]
        for answer, names in zip(answers, ("IS", "Syrian army|army"), strict=True):
            assert answer.probabilities == pytest.approx(model.predict(MET, actor=names).probabilities, abs=1e-5)

    def test_the_place_of_an_actor_is_its_first_in_the_text(self, model):
        ((question,),) = asking_about_found([article("Rain. FARC fled.", "FARC news")], model)
        (answer,) = model.predict_examples([question])
        assert (answer.start, answer.end) == (6, 10)
        assert [(piece.start, piece.end, piece.text) for piece in answer.evidence] == [
            (None, None, "FARC news"),
            (6, 16, "FARC fled."),
        ]

    def test_an_actor_of_the_title_alone_has_no_place(self, model):
        ((question,),) = asking_about_found([article("They fled.", "FARC news")], model)
        (answer,) = model.predict_examples([question])
        assert (answer.error, answer.start, answer.end) == (None, None, None)

    def test_where_nobody_is_found_nobody_is_asked_about(self, model):
        assert asking_about_found([article("Rain fell."), article("")], model) == [[], []]


class TestQuestions:
    """Rows of an input."""

    def test_each_row_comes_once_for_each_actor(self, model):
        rows = [{"text": MET}, {"text": "FARC fled."}]
        assert asked(rows, model) == [(0, "IS"), (0, "Syrian army|army"), (1, "FARC")]

    def test_a_row_without_an_actor_comes_once(self, model):
        assert asked([{"text": "Rain."}, {"text": ""}, {"text": "FARC fled."}], model) == [
            (0, ""),
            (1, ""),
            (2, "FARC"),
        ]

    def test_nobody_is_an_error_of_its_own(self, model):
        pairs = found_questions([Row("a", {"text": "Rain."}), Row("b", {"text": " "})], model, ColumnsConfig())
        answers = list(model.predict_examples(question for _, question in pairs))
        assert [(answer.actor, answer.error) for answer in answers] == [
            (None, "actor not in text"),
            (None, "empty text"),
        ]

    def test_offsets_in_the_input_are_nobodys(self, model):
        rows = [Row("a", {"text": "Rain fell.", "start": 0, "end": "noon"})]
        ((_, question),) = found_questions(rows, model, ColumnsConfig())
        assert dict(question.spans)["actor"].start is None
        assert question.passage(model.task).spans == ((),)

    def test_columns_may_bear_other_names(self, model):
        assert asked([{"body": "FARC fled."}], model, ColumnsConfig(text="body")) == [(0, "FARC")]

    @pytest.mark.parametrize("count", [64, 65, 129])
    def test_order_is_kept_over_the_borders_of_chunks(self, model, count):
        rows = [{"text": f"Then {('IS', 'FARC')[number % 2]} fled."} for number in range(count)]
        assert asked(rows, model) == [(number, ("IS", "FARC")[number % 2]) for number in range(count)]
