from __future__ import annotations

import re

import pytest

from conflictnlp.text import may_be_one, merge_mentions


def spans_of(text: str, *names: str) -> list[tuple[int, int]]:
    """Every place of the names, without overlaps, as a tagger would mark them."""
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    return [match.span() for match in re.finditer("|".join(longest_first), text)]


def actors(text: str, *names: str) -> list[list[str]]:
    """The actors' words, each actor's in the order of the text."""
    return [
        [text[start:end] for start, end in party.mentions] for party in merge_mentions(text, spans_of(text, *names))
    ]


class TestTheSameWords:
    """Rule 1."""

    def test_article_and_case_do_not_count(self):
        text = "The army fled. An army came. Army men."
        assert actors(text, "The army", "An army", "Army") == [["army", "army", "Army"]]

    @pytest.mark.parametrize("article", ["the", "so-called", "the self-proclaimed", "A"])
    def test_articles_are_no_part_of_the_name(self, article):
        text = f"Then {article} Banner of Faith fled."
        (party,) = merge_mentions(text, spans_of(text, f"{article} Banner of Faith"))
        assert party.name == "Banner of Faith"
        assert [text[start:end] for start, end in party.mentions] == ["Banner of Faith"]

    def test_other_words_are_another_actor(self):
        assert actors("FARC met ELN.", "FARC", "ELN") == [["FARC"], ["ELN"]]


class TestAbbreviations:
    """Rule 2."""

    def test_brackets_hold_another_name_of_the_same(self):
        text = "The Movement for Justice (MFJU) fled; MFJU men."
        (party,) = merge_mentions(text, spans_of(text, "The Movement for Justice (MFJU)", "MFJU"))
        assert (party.name, party.aliases) == ("Movement for Justice", ("MFJU",))
        assert [text[start:end] for start, end in party.mentions] == ["Movement for Justice", "MFJU", "MFJU"]

    def test_brackets_between_two_mentions_join_them(self):
        assert len(actors("Ansar Dine (ANS) fled.", "Ansar Dine", "ANS")) == 1

    def test_brackets_around_words_that_are_no_abbreviation_join_nothing(self):
        text = "The rebels (Ansar Dine men) fled."
        assert actors(text, "The rebels", "Ansar Dine men") == [["rebels"], ["Ansar Dine men"]]

    def test_a_bracket_that_is_cut_off(self):
        text = "Velmarian Liberation Front (VLF shot."
        assert actors(text, "Velmarian Liberation Front (VLF") == [["Velmarian Liberation Front", "VLF"]]

    def test_a_word_after_the_bracket(self):
        text = "The Sons of Velm (SOV) group fled. SOV took it."
        assert actors(text, "The Sons of Velm (SOV) group", "SOV") == [["Sons of Velm", "SOV", "SOV"]]

    def test_quotes_before_a_bracket_are_no_part_of_the_name(self):
        text = 'The "Sons of Velm" (SOV) fled.'
        (party,) = merge_mentions(text, spans_of(text, 'The "Sons of Velm" (SOV)'))
        assert (party.name, party.aliases) == ("Sons of Velm", ("SOV",))

    def test_initials_of_capitalised_words(self):
        assert len(actors("The Front of the People met. FP men fled.", "Front of the People", "FP")) == 1

    def test_initials_must_be_all_of_them(self):
        assert len(actors("The Front of the Free People met. FP men.", "Front of the Free People", "FP")) == 2

    def test_fighters_of_an_abbreviation(self):
        assert actors("VLF fled. VLF fighters fled.", "VLF fighters", "VLF") == [["VLF", "VLF fighters"]]


class TestKnownNames:
    """Rule 3."""

    @pytest.mark.parametrize(
        "names",
        [("Islamic State", "Daesh"), ("Taliban", "Taleban fighters"), ("Houthis", "Ansar Allah"), ("ISIL", "IS")],
    )
    def test_spellings_of_one_name_are_one_actor(self, names):
        assert len(actors("{} fled; {} fled.".format(*names), *names)) == 1

    def test_an_abbreviation_in_small_letters_is_no_name(self):
        assert actors("IS fled; isis fled.", "IS", "isis") == [["IS"], ["isis"]]


class TestWordsOfTheirOwn:
    """Rule 4."""

    def test_words_that_any_party_may_bear_do_not_count(self):
        text = "Velmar Brigade fled; the Velmar Brigade fighters fled; Velmar Brigade units."
        assert len(actors(text, "Velmar Brigade", "the Velmar Brigade fighters", "Velmar Brigade units")) == 1

    def test_a_longer_name_may_begin_with_a_shorter_of_two_words(self):
        text = "Holy Order of Karth and the Holy Order"
        (party,) = merge_mentions(text, spans_of(text, "Holy Order of Karth", "the Holy Order"))
        assert (party.name, party.aliases) == ("Holy Order of Karth", ("Holy Order",))

    def test_one_shared_word_is_not_enough(self):
        text = "Syrian Turkmen Brigade met Syrian Eagles and Syrian fighters."
        assert len(actors(text, "Syrian Turkmen Brigade", "Syrian Eagles", "Syrian fighters")) == 3


class TestStates:
    """Rule 5."""

    def test_forces_of_one_state_are_one_actor(self):
        text = "The Syrian army fled. Syrian troops and Syrian government forces fled."
        assert len(actors(text, "Syrian army", "Syrian troops", "Syrian government forces")) == 1

    def test_unnamed_forces_are_those_of_the_one_state(self):
        text = "Syrian troops met FARC. Government forces fled; the army fled."
        assert actors(text, "Syrian troops", "FARC", "Government forces", "army") == [
            ["Syrian troops", "Government forces", "army"],
            ["FARC"],
        ]

    def test_of_two_states_they_are_those_that_the_text_names_more(self):
        text = "Russian troops met Ukrainian troops. Ukrainian troops stayed. The army fled."
        found = actors(text, "Russian troops", "Ukrainian troops", "army")
        assert found == [["Russian troops"], ["Ukrainian troops", "Ukrainian troops", "army"]]

    def test_of_two_states_named_alike_they_are_the_first(self):
        text = "Russian troops met Ukrainian troops. The army fled."
        found = actors(text, "Russian troops", "Ukrainian troops", "army")
        assert found == [["Russian troops", "army"], ["Ukrainian troops"]]

    def test_a_state_its_people_and_its_forces_are_one_actor(self):
        text = "Israel struck; Israeli troops and the IDF came; Israel Defense Forces left."
        assert len(actors(text, "Israel Defense Forces", "Israel", "Israeli troops", "IDF")) == 1

    @pytest.mark.parametrize(
        ("state", "forces"),
        [
            ("Russia", "Russian forces"),
            ("Ukraine", "Ukrainian Armed Forces"),
            ("United States", "U.S. troops"),
            ("South Sudan", "South Sudanese army"),
            ("DR Congo", "Congolese soldiers"),
        ],
    )
    def test_a_state_by_the_table_is_its_forces(self, state, forces):
        assert actors(f"{state} said {forces} fled.", state, forces) == [[state, forces]]

    def test_forces_of_two_states_are_neithers(self):
        text = "Turkish troops, Syrian troops, Turkish and Syrian troops."
        assert len(actors(text, "Turkish and Syrian troops", "Turkish troops", "Syrian troops")) == 3

    @pytest.mark.parametrize("others", ["US-led coalition", "US militias", "Anti-US forces", "US fighters"])
    def test_a_states_forces_are_not_its_coalition_or_militia(self, others):
        assert len(actors(f"US troops met the {others}.", "US troops", others)) == 2

    def test_a_state_is_not_its_rebels(self):
        assert len(actors("Syria met Syrian rebels.", "Syria", "Syrian rebels")) == 2

    def test_without_a_state_they_are_an_actor_of_their_own(self):
        assert actors("The army met FARC. Troops fled.", "army", "FARC", "Troops") == [["army", "Troops"], ["FARC"]]

    def test_unnamed_rebels_are_the_one_band_that_is_named(self):
        assert len(actors("Velmar rebels fled. The rebels hid.", "Velmar rebels", "rebels")) == 1

    def test_unnamed_rebels_beside_two_named_bands_are_nobodys(self):
        text = "Velmar rebels met Karth rebels. The insurgents hid."
        assert len(actors(text, "Velmar rebels", "Karth rebels", "insurgents")) == 3


class TestGovernments:
    """Rule 6: whose "government forces" are."""

    @pytest.mark.parametrize(
        "words", ["Government forces", "Regime troops", "Loyalists", "Forces loyal to the president"]
    )
    def test_they_are_not_those_of_a_state_known_for_troops_abroad(self, words):
        text = f"Russian troops bombed Karth. {words} were driven out of Idlib."
        assert actors(text, "Russian troops", words) == [["Russian troops"], [words]]

    def test_a_state_known_for_troops_abroad_may_be_at_home(self):
        text = "In Russia Russian troops fled. Government forces fled."
        assert len(actors(text, "Russian troops", "Government forces")) == 1

    def test_beside_troops_from_abroad_they_are_the_other_states(self):
        text = "The Turkish army shelled. Regime forces fled. The Syrian army came."
        assert actors(text, "Turkish army", "Regime forces", "Syrian army") == [
            ["Turkish army"],
            ["Regime forces", "Syrian army"],
        ]

    def test_of_two_states_they_are_those_of_where_the_text_is_set(self):
        text = "Armenian troops met Azeri troops in northern Armenia. Government forces fled."
        found = actors(text, "Armenian troops", "Azeri troops", "Government forces")
        assert found == [["Armenian troops", "Government forces"], ["Azeri troops"]]

    @pytest.mark.parametrize("where", ["", "In Syria, ", "In Armenia and across Azerbaijan "])
    def test_where_that_decides_nothing_they_are_a_side_of_their_own(self, where):
        text = f"Armenian troops met Azeri troops. {where}government forces fled."
        assert len(actors(text, "Armenian troops", "Azeri troops", "government forces")) == 3

    def test_elsewhere_they_are_not_those_of_the_one_state(self):
        text = "Iraqi troops entered the Syrian city. Government forces fled."
        assert len(actors(text, "Iraqi troops", "Government forces")) == 2

    def test_a_side_that_is_called_a_government_has_them(self):
        text = "Syrian troops met Iraqi government troops. Government forces fled."
        found = actors(text, "Syrian troops", "Iraqi government troops", "Government forces")
        assert found == [["Syrian troops"], ["Iraqi government troops", "Government forces"]]

    def test_a_presidents_forces_are_a_governments(self):
        text = "Turkish troops, Syrian President Assad's forces, Syrian soldiers and government forces."
        found = actors(
            text, "Turkish troops", "Syrian President Assad's forces", "Syrian soldiers", "government forces"
        )
        assert [len(own) for own in found] == [1, 3]

    def test_the_army_goes_with_them(self):
        text = "Russian troops came. Government forces fled. The army hid."
        assert [len(own) for own in actors(text, "Russian troops", "Government forces", "army")] == [1, 2]

    def test_who_backs_them_is_no_part_of_their_name(self):
        text = "Russian troops met Russian-backed government forces."
        assert len(actors(text, "Russian-backed government forces", "Russian troops")) == 2


class TestSides:
    """State forces and rebels."""

    def test_they_stay_apart_whatever_words_they_share(self):
        text = "The Syrian army met Syrian rebels."
        assert actors(text, "Syrian army", "Syrian rebels") == [["Syrian army"], ["Syrian rebels"]]

    @pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1), (2, 1, 0)])
    def test_a_third_name_does_not_join_them(self, order):
        names = ("Syrian army", "Syrian forces", "Syrian rebels")
        text = "; ".join(names[number] for number in order)
        found = [set(words) for words in actors(text, *names)]
        assert not any({"Syrian army", "Syrian rebels"} <= words for words in found)
        assert len(found) == 2

    @pytest.mark.parametrize(
        "rebels", ["Free Syrian Army", "Syrian Army defectors", "rebels loyal to Syrian army chiefs"]
    )
    def test_an_army_against_the_state_is_not_the_states(self, rebels):
        text = f"{rebels} met the Syrian troops."
        assert actors(text, rebels, "Syrian troops") == [[rebels], ["Syrian troops"]]

    @pytest.mark.parametrize("movement", ["Kachin Independence Army", "Free Syrian Army", "Lord's Resistance Army"])
    def test_unnamed_forces_are_not_a_movements_army(self, movement):
        text = f"{movement} men met government forces."
        assert actors(text, movement, "government forces") == [[movement], ["government forces"]]

    def test_who_is_against_an_actor_is_not_the_actor(self):
        text = "Anti-Taliban militia met Taliban militia."
        assert actors(text, "Anti-Taliban militia", "Taliban militia") == [
            ["Anti-Taliban militia"],
            ["Taliban militia"],
        ]

    def test_what_an_actor_holds_is_on_its_side(self):
        text = "Velmar rebel-held units met Velmar troops."
        assert len(actors(text, "Velmar rebel-held units", "Velmar troops")) == 2

    def test_words_in_capitals_that_name_nobody_join_nobody(self):
        assert actors("FORCES fled. Rebels won.", "FORCES", "Rebels") == [["FORCES"], ["Rebels"]]


class TestMentions:
    """What a party's record holds."""

    def test_the_fullest_name_stands_first(self):
        text = "IS fled. Islamic State group fled. Islamic State of Iraq and the Levant fled."
        (party,) = merge_mentions(
            text, spans_of(text, "IS", "Islamic State group", "Islamic State of Iraq and the Levant")
        )
        # A whole description of over five words yields to a name, an abbreviation to both.
        assert party.name == "Islamic State group"
        assert party.aliases == ("IS", "Islamic State of Iraq and the Levant")

    def test_the_same_words_elsewhere_are_mentions_too(self):
        text = "FARC fled. Later farc came back, as FARC-like men said FARC would."
        (party,) = merge_mentions(text, [(0, 4)])
        assert [text[start:end] for start, end in party.mentions] == ["FARC", "FARC", "FARC"]

    def test_a_name_within_anothers_longer_one_is_not_its_own(self):
        text = "Ansar met Ansar Dine. Ansar fled."
        parties = merge_mentions(text, [(0, 5), (10, 20)])
        assert [party.mentions for party in parties] == [((0, 5), (22, 27)), ((10, 20),)]

    def test_actors_stand_in_the_order_of_their_first_mention(self):
        text = "ELN met FARC; FARC fled."
        assert [party.name for party in merge_mentions(text, [(14, 18), (0, 3), (8, 12)])] == ["ELN", "FARC"]

    @pytest.mark.parametrize("words", ["of", "the", ".", "()", " - "])
    def test_scraps_are_nobody(self, words):
        assert merge_mentions(f"Men {words} fled.", [(4, 4 + len(words))]) == []

    def test_a_name_that_others_are_against_is_nobody(self):
        text = "The anti-IS forces fled."
        assert merge_mentions(text, spans_of(text, "IS")) == []

    def test_the_longest_name_takes_unmarked_words(self):
        text = "Ansar Dine met Ansar. Then Ansar Dine fled."
        parties = merge_mentions(text, [(0, 10), (15, 20)])
        assert [party.mentions for party in parties] == [((0, 10), (27, 37)), ((15, 20),)]

    def test_no_mentions_no_actors(self):
        assert merge_mentions("FARC fled.", []) == []

    def test_offsets_are_characters(self):
        text = "🙂 É: “FARC”, fled."
        (party,) = merge_mentions(text, [(5, 12)])
        assert party.mentions == ((6, 10),)


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("Islamic State", "Islamic State fighters", True),
        ("Assad", "forces loyal to President Assad", True),
        ("Syrian army", "Free Syrian Army", False),
        ("Syrian army", "Syrian army defectors", False),
    ],
)
def test_names_of_differing_sides_cannot_be_one(one, other, told):
    assert (may_be_one(one, other), may_be_one(other, one)) == (told, told)
