from pathlib import Path

import pytest

from conflictnlp.data.actors import Actor, gather_actors, parse_actor, read_actors
from conflictnlp.errors import InputError

LISTED = """
- name: Islamic State
  aliases: [IS, Daesh]
  kind: rebel
- name: FARC
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "actors.yaml"
    path.write_text(text, encoding="utf-8")
    return path


class TestParse:
    """`NAME|ALIAS|…` of the command line."""

    @pytest.mark.parametrize(
        ("words", "names"),
        [
            ("IS", ("IS",)),
            ("IS|Islamic State", ("IS", "Islamic State")),
            (" IS | Islamic State |", ("IS", "Islamic State")),
            ("IS|Daesh|Daesh", ("IS", "Daesh")),
            ("Sécurité|e\u0301lite", ("Sécurité", "e\u0301lite")),
        ],
    )
    def test_the_first_name_is_the_actors(self, words: str, names: tuple[str, ...]) -> None:
        assert parse_actor(words).names == names

    @pytest.mark.parametrize("words", ["", " ", "|", " | "])
    def test_an_empty_name_is_refused(self, words: str) -> None:
        with pytest.raises(InputError, match="an empty name"):
            parse_actor(words)


class TestFile:
    """A YAML list of actors."""

    def test_actors_stand_in_the_files_order(self, tmp_path: Path) -> None:
        assert read_actors(write(tmp_path, LISTED)) == [
            Actor("Islamic State", ("IS", "Daesh"), "rebel"),
            Actor("FARC"),
        ]

    def test_a_byte_order_mark_and_windows_line_ends_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "actors.yaml"
        path.write_bytes("\ufeff- name: Hizbullāh\r\n  aliases:\r\n    - Hezbollah\r\n".encode())
        assert read_actors(path) == [Actor("Hizbullāh", ("Hezbollah",))]

    def test_blanks_around_names_and_repeated_aliases_are_dropped(self, tmp_path: Path) -> None:
        assert read_actors(write(tmp_path, "- {name: ' IS ', aliases: [' Daesh', Daesh]}")) == [Actor("IS", ("Daesh",))]

    def test_empty_aliases_are_none(self, tmp_path: Path) -> None:
        assert read_actors(write(tmp_path, "- name: IS\n  aliases:\n")) == [Actor("IS")]

    def test_a_name_in_quotes_may_be_a_boolean_word(self, tmp_path: Path) -> None:
        assert read_actors(write(tmp_path, "- name: 'NO'")) == [Actor("NO")]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "must be a list"),
            ("[]", "must be a list"),
            ("name: IS", "must be a list"),
            ("- IS", "entry 1: must have name"),
            ("- name: IS\n- aliases: [FARC]", "entry 2: must have name"),
            ("- {name: IS, alias: [Daesh]}", "entry 1: must have name"),
            ("- name: NO", "entry 1: names must be words, not False"),
            ("- {name: IS, aliases: [yes]}", "entry 1: names must be words, not True"),
            ("- name: 2014-06-29", "entry 1: names must be words"),
            ("- {name: M, aliases: [23]}", "not 23"),
            ("- {name: IS, aliases: Daesh}", r"aliases must be a list, such as \[Daesh\]"),
            ("- {name: IS, aliases: {Daesh: ISIL}}", "aliases must be a list"),
            ("- {name: IS, aliases: 7}", "aliases must be a list"),
            ("- name: ' '", "is no name"),
            ("- {name: IS, aliases: ['']}", "is no name"),
            ("- name: IS|Daesh", "is no name"),
            ("- {name: IS, aliases: [X]}\n- {name: FARC, aliases: [X]}", "'X' names two actors, IS and FARC"),
            ("- name: IS\n- name: IS", "'IS' names two actors"),
            ("- name: the army\n- {name: Y, aliases: [The Army]}", "'The Army' names two actors"),
            ("- name: Lord's Army\n- name: Lord\u2019s  army", "names two actors"),
            ("- name: [", "cannot be read as YAML"),
            ("- name: 2014-13-45", "cannot be read as YAML"),
        ],
    )
    def test_a_fault_is_told_in_one_line_with_its_place(self, tmp_path: Path, text: str, told: str) -> None:
        path = write(tmp_path, text)
        with pytest.raises(InputError, match=told) as caught:
            read_actors(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)

    def test_names_that_differ_as_they_are_looked_for_are_two(self, tmp_path: Path) -> None:
        """IS in capitals is found in capitals only."""
        assert len(read_actors(write(tmp_path, "- name: PM\n- name: pm"))) == 2

    def test_a_missing_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"none\.yaml: cannot be read: No such file"):
            read_actors(tmp_path / "none.yaml")

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read: Is a directory"):
            read_actors(tmp_path)

    def test_another_encoding_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "actors.yaml"
        path.write_bytes("- name: Sécurité".encode("latin-1"))
        with pytest.raises(InputError, match="cannot be read as YAML"):
            read_actors(path)


class TestGather:
    """The command line's actors and the file's."""

    def test_stated_actors_come_first(self, tmp_path: Path) -> None:
        gathered = gather_actors(["SDF"], write(tmp_path, LISTED))
        assert [actor.name for actor in gathered] == ["SDF", "Islamic State", "FARC"]

    def test_the_command_line_wins_over_the_file(self, tmp_path: Path) -> None:
        gathered = gather_actors(["Islamic State|ISIL"], write(tmp_path, LISTED))
        assert gathered == [Actor("Islamic State", ("ISIL",)), Actor("FARC")]

    def test_an_alias_of_the_file_cannot_be_another_stated_actor(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="'IS' names two actors, IS and Islamic State"):
            gather_actors(["IS"], write(tmp_path, LISTED))

    def test_an_actor_stated_twice_is_refused(self) -> None:
        with pytest.raises(InputError, match="'IS' names two actors"):
            gather_actors(["IS", "IS|Daesh"])

    def test_nobody_is_nobody(self) -> None:
        assert gather_actors([]) == []
