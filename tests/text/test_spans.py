import numpy as np
import pytest

from conflictnlp.text import find_mentions, insert_markers, search_key, share_mentions


def found(text, *names):
    return [text[start:end] for start, end in find_mentions(text, names)]


def test_alias_matches_whole_words_only():
    assert found("The army's armyless Armytown has an army.", "army") == ["army", "army"]


def test_name_in_capitals_is_case_sensitive():
    assert find_mentions("This is IS. It is.", ["IS"]) == [(8, 10)]


def test_name_with_capitals_and_digits_is_case_sensitive():
    assert found("M23 and m23", "M23") == ["M23"]


def test_other_names_match_in_any_case():
    assert found("REBELS, Rebels and rebels", "Rebels") == ["REBELS", "Rebels", "rebels"]


def test_case_rule_holds_for_each_alias_by_itself():
    assert found("is the Islamic state IS?", "Islamic State", "IS") == ["Islamic state", "IS"]


def test_longest_alias_wins():
    assert found("The Free Army fell.", "Free", "Free Army", "Army") == ["Free Army"]


def test_longest_alias_wins_over_one_that_begins_earlier():
    text = "the Islamic State of Iraq forces"
    assert found(text, "Islamic State", "State of Iraq forces") == ["State of Iraq forces"]


def test_shorter_alias_is_found_beside_the_longest():
    assert found("Free Army; the Army", "Free Army", "Army") == ["Free Army", "Army"]


def test_equal_overlapping_aliases_leave_the_first():
    assert found("alpha beta gamma", "alpha beta", "beta gamma") == ["alpha beta"]


def test_mentions_do_not_depend_on_the_order_of_names():
    text = "SIF fighters of the Skarn Front and the Front"
    names = ["SIF", "Front", "Skarn Front", "SIF fighters"]
    assert find_mentions(text, names) == find_mentions(text, names[::-1])


@pytest.mark.parametrize("gap", ["  ", "\n", "\r\n", "\u00a0", "\t"])
def test_blank_of_a_name_matches_any_white_space(gap):
    assert found(f"the Free{gap}Army left", "Free Army") == [f"Free{gap}Army"]


def test_punctuation_in_a_name_is_meant_literally():
    assert found("the U.S. and the UxSx", "U.S.") == ["U.S."]


def test_sign_of_a_pattern_in_a_name_is_meant_literally():
    assert found("Front (North) and Front North", "Front (North)") == ["Front (North)"]


def test_mention_before_hyphen_and_apostrophe_counts():
    assert found("IS-held, IS's and (IS)", "IS") == ["IS", "IS", "IS"]


def test_underscore_and_digit_belong_to_the_word():
    assert found("IS_2 IS2 2IS", "IS") == []


def test_accented_letter_belongs_to_the_word():
    assert found("Ostrané Ostran", "Ostran") == ["Ostran"]


def test_combining_accent_belongs_to_the_word():
    assert find_mentions("Ostrane\u0301", ["Ostrane"]) == []


@pytest.mark.parametrize("name", ["Café", "Cafe\u0301"])
def test_accent_is_found_composed_or_not(name):
    assert find_mentions("café cafe\u0301", [name]) == [(0, 4), (5, 10)]


def test_emoji_borders_a_word_and_counts_as_one_character():
    assert find_mentions("😀IS😀", ["IS"]) == [(1, 3)]


@pytest.mark.parametrize("names", [[], [""], ["  ", ""]])
def test_no_name_finds_nothing(names):
    assert find_mentions("IS fell", names) == []


def test_empty_text_has_no_mention():
    assert find_mentions("", ["IS"]) == []


def test_name_may_be_the_whole_text():
    assert find_mentions("IS", ["IS"]) == [(0, 2)]


def test_marker_surrounds_the_mention():
    marked, _ = insert_markers("IS fell.", [("actor", [(0, 2)])])
    assert marked == "<a> IS </a> fell."


def test_roles_have_markers_of_their_own():
    marked, _ = insert_markers("A hit B", [("source", [(0, 1)]), ("target", [(6, 7)])])
    assert marked == "<s> A </s> hit <t> B </t>"


def test_every_mention_is_marked():
    marked, _ = insert_markers("IS, IS", [("actor", [(0, 2), (4, 6)])])
    assert marked == "<a> IS </a>, <a> IS </a>"


def test_touching_mentions_close_before_they_open():
    marked, _ = insert_markers("AB", [("source", [(0, 1)]), ("target", [(1, 2)])])
    assert marked == "<s> A </s><t> B </t>"


def test_text_without_mentions_is_unchanged():
    marked, origins = insert_markers("é😀", [("actor", [])])
    assert marked == "é😀"
    assert origins.tolist() == [0, 1]


def test_empty_text_has_no_origins():
    marked, origins = insert_markers("", [])
    assert (marked, len(origins)) == ("", 0)


def test_origins_by_hand():
    marked, origins = insert_markers("xAy", [("actor", [(1, 2)])])
    assert marked == "x<a> A </a>y"
    assert origins.tolist() == [0, *[1] * 4, 1, *[1] * 5, 2]


def test_marker_bears_the_offset_of_the_nearest_character_of_its_mention():
    _, origins = insert_markers("a the rebels b", [("actor", [(2, 12)])])
    assert origins[2:6].tolist() == [2] * 4
    assert origins[16:21].tolist() == [11] * 5


@pytest.mark.parametrize("text", ["IS 😀 took é\u0301 IS", "IS", "IS\r\nand the Army, IS"])
def test_origins_lead_every_own_character_home(text):
    spans = [("source", find_mentions(text, ["IS"])), ("target", find_mentions(text, ["Army"]))]
    marked, origins = insert_markers(text, spans)
    assert len(origins) == len(marked)
    assert np.all(np.diff(origins) >= 0)
    assert set(origins.tolist()) == set(range(len(text)))
    unmarked = marked
    for marker in ("<s> ", " </s>", "<t> ", " </t>"):
        unmarked = unmarked.replace(marker, "")
    assert unmarked == text


@pytest.mark.parametrize("sign", ["'", "\u2019", "\u2018", "\u02bc"])
def test_apostrophes_are_one_in_text_and_name(sign):
    text = f"The Lord{sign}s Resistance Army left"
    assert found(text, "Lord's Resistance Army") == [f"Lord{sign}s Resistance Army"]
    assert found("The Lord's Resistance Army", f"Lord{sign}s Resistance Army") == ["Lord's Resistance Army"]


@pytest.mark.parametrize("sign", ["-", "\u2010", "\u2011", "\u2013"])
def test_hyphens_are_one_and_move_no_offset(sign):
    assert find_mentions(f"\u201cal{sign}Nusra\u201d", ["al-Nusra"]) == [(1, 9)]


def test_quotes_are_one_in_text_and_name():
    assert found("the \u201cTiger\u201d Force", 'the "Tiger" Force') == ["the \u201cTiger\u201d Force"]


@pytest.mark.parametrize("word", ["anti-", "Anti-", "ANTI\u2011", "non-", "pro-"])
def test_a_name_behind_a_word_for_others_is_no_mention(word):
    assert found(f"the {word}IS coalition met IS", "IS") == ["IS"]
    assert find_mentions(f"the {word}IS coalition", ["IS"]) == []


def test_a_name_may_begin_with_a_word_for_others():
    assert found("the anti-IS coalition", "IS", "anti-IS coalition") == ["anti-IS coalition"]


def test_other_words_before_a_hyphen_hide_no_name():
    assert found("the once-pro and ex-IS men", "IS") == ["IS"]


class TestSeveralActors:
    """Names of several actors in one text."""

    @pytest.mark.parametrize("actors", [(["Syrian army"], ["Free Syrian Army"]), (["Army"], ["Front", "Army Front"])])
    def test_the_longest_name_takes_the_words_of_all(self, actors):
        text = f"the {actors[1][-1]} left"
        first, second = share_mentions(text, actors)
        assert (first, [text[start:end] for start, end in second]) == ([], [actors[1][-1]])

    def test_each_keeps_its_mentions_elsewhere(self):
        text = "The Syrian army met the Free Syrian Army. The Syrian army fled."
        assert share_mentions(text, [["Syrian army"], ["Free Syrian Army"]]) == [[(4, 15), (46, 57)], [(24, 40)]]

    def test_equally_long_names_leave_the_first_stated(self):
        assert share_mentions("alpha gamma betas", [["gamma betas"], ["alpha gamma"]]) == [[(6, 17)], []]

    def test_an_actor_without_names_has_no_mentions(self):
        assert share_mentions("IS fell", [[], ["IS"]]) == [[], [(0, 2)]]

    def test_no_actors_no_mentions(self):
        assert share_mentions("IS fell", []) == []


def test_names_found_by_the_same_words_have_one_key():
    keys = {search_key(name) for name in ("Lord's  Army", "lord\u2019s army", "LORD'S army")}
    assert len(keys) == 1
    assert search_key("IS") != search_key("is")


def test_a_mask_stands_in_place_of_each_mention():
    marked, origins = insert_markers("IS hit IS.", [("actor", [(0, 2), (7, 9)])], mask="the force")
    assert marked == "<a> the force </a> hit <a> the force </a>."
    assert [origins[marked.index(word)] for word in ("the", "hit", ".")] == [0, 3, 9]
    assert origins.tolist() == sorted(origins.tolist())
    assert len(origins) == len(marked)


def test_a_mask_hides_only_what_is_marked():
    marked, _ = insert_markers("A hit B", [("source", [(0, 1)]), ("target", [(6, 7)])], mask="X")
    plain, _ = insert_markers("X hit X", [("source", [(0, 1)]), ("target", [(6, 7)])])
    assert marked == plain
