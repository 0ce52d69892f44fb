from conflictnlp.composition import load_task
from conflictnlp.data.importers.event_types import CODE_OF_ACLED, EVENT_TYPE_OF_CODE, EVENT_TYPES


def test_every_label_of_the_tasks_is_reached_and_no_other():
    assert set(EVENT_TYPE_OF_CODE) == set(load_task("event_subtype").label_names)
    assert set(EVENT_TYPE_OF_CODE.values()) == set(load_task("event_type").label_names)


def test_acled_has_six_types_and_25_sub_types_and_none_of_them_is_none():
    assert len(EVENT_TYPES) == 6
    assert len(CODE_OF_ACLED) == len(set(CODE_OF_ACLED.values())) == 25
    assert {EVENT_TYPE_OF_CODE[code] for code in CODE_OF_ACLED.values()} == set(EVENT_TYPES.values())
