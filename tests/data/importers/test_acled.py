import pytest

from tests.data.helpers import write
from tests.data.importers.helpers import FILES, faults, imported, refused

HEAD = "event_id_cnty,event_date,event_type,sub_event_type,notes\n"


def test_notes_types_and_dates(tmp_path):
    rows, _ = imported("acled", "acled.csv", tmp_path)
    assert rows[0] == {
        "id": "OST1",
        "text": 'On 5 January 2031, soldiers and Dhal Front fighters exchanged fire near Velm, "for an hour".',
        "label": "battle",
        "sub_label": "armed_clash",
        "date": "2031-01-05",
        "actor1": "Military Forces of Ostrany",
        "actor2": "Dhal Front",
        "country": "Ostrany",
    }
    assert [row["label"] for row in rows] == [
        *("battle", "remote_violence", "civilian_targeting"),
        *("protest", "riot", "strategic_development"),
    ]
    assert [row["sub_label"] for row in rows[1:3]] == ["air_strike", "abduct_dissap"]
    assert [row["date"] for row in rows[1:3]] == ["2031-01-06", "2031-01-07"]


def test_the_newspaper_is_not_taken_for_the_source_of_an_event(tmp_path):
    assert all("source" not in row for row in imported("acled", "acled.csv", tmp_path)[0])


@pytest.mark.parametrize("written", ["2031-01-07", "07 January 2031", "7-January-2031", "07/01/2031", "07-01-2031"])
def test_dates_as_acled_writes_them(tmp_path, written):
    path = write(tmp_path / "a.csv", f"{HEAD}A1,{written},Battles,,Fire was exchanged.\n")
    assert imported("acled", path, tmp_path)[0][0]["date"] == "2031-01-07"


def test_notes_and_types_are_enough_and_may_be_in_capitals(tmp_path):
    path = write(tmp_path / "a.csv", "NOTES,EVENT_TYPE\nA crowd marched.,protests\n")
    assert imported("acled", path, tmp_path)[0] == [{"text": "A crowd marched.", "label": "protest"}]


def test_rows_that_cannot_be_used(tmp_path):
    rows = [
        "A1,2031-01-07,Battles,Armed clash,Fire was exchanged.",
        "A2,2031-01-07,Riots/Protests,,A crowd marched.",
        "A3,2031-01-07,Battles,Brawl,Fire was exchanged.",
        "A4,2031-01-07,Battles,Grenade,A grenade was thrown.",
        "A5,13/31/2031,Battles,,Fire was exchanged.",
        "A6,2031-01-07,Battles,,",
    ]
    told = faults("acled", write(tmp_path / "a.csv", HEAD + "\n".join(rows)), tmp_path)
    assert [line.split(" is none of")[0] for line in told] == [
        "3: event_type 'Riots/Protests'",
        "4: sub_event_type 'Brawl'",
        "5: sub_event_type 'Grenade' does not belong to 'Battles'",
        "6: event_date '13/31/2031' is not a date (2023-01-31, 31 January 2023, 31/01/2023)",
        "7: the notes are empty",
    ]


def test_a_file_with_semicolons_is_told(tmp_path):
    path = write(tmp_path / "a.csv", "event_type;notes\nBattles;Fire.\n")
    assert "separated by semicolons: save it with commas" in refused("acled", path, tmp_path)


def test_a_file_without_notes_is_refused(tmp_path):
    path = write(tmp_path / "a.csv", "event_type,fatalities\nBattles,1\n")
    assert "no column 'notes', which an export of ACLED has" in refused("acled", path, tmp_path)


def test_mark_of_byte_order_carriage_returns_and_gzip_change_nothing(tmp_path):
    content = b"\xef\xbb\xbf" + (FILES / "acled.csv").read_bytes().replace(b"\n", b"\r\n")
    zipped = imported("acled", write(tmp_path / "acled.csv.gz", content), tmp_path)[0]
    assert zipped == imported("acled", "acled.csv", tmp_path)[0]
