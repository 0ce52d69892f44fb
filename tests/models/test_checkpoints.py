from __future__ import annotations

import pytest

from conflictnlp.models.checkpoints import checkpoints_in, last_checkpoint


def checkpoint(folder, name: str, state: str | None) -> None:
    (folder / name).mkdir()
    if state is not None:
        (folder / name / "trainer_state.json").write_text(state)


def test_the_newest_checkpoint_is_the_one_of_most_steps(tmp_path):
    for step in (9, 10, 2):
        checkpoint(tmp_path, f"checkpoint-{step}", "{}")
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


@pytest.mark.parametrize("state", [None, "", '{"epoch": 1.0, "glob'])
def test_a_half_written_checkpoint_is_passed_over(tmp_path, state):
    checkpoint(tmp_path, "checkpoint-4", "{}")
    checkpoint(tmp_path, "checkpoint-8", state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-4"


def test_a_folder_that_only_looks_like_a_checkpoint_is_passed_over(tmp_path):
    checkpoint(tmp_path, "checkpoint-best", "{}")
    assert last_checkpoint(tmp_path) is None


def test_there_is_no_checkpoint_in_a_missing_folder(tmp_path):
    assert last_checkpoint(tmp_path / "none") is None


def test_all_complete_checkpoints_are_named_the_newest_first(tmp_path):
    for step, state in ((9, "{}"), (10, "{}"), (2, "{}"), (30, None)):
        checkpoint(tmp_path, f"checkpoint-{step}", state)
    assert [path.name for path in checkpoints_in(tmp_path)] == ["checkpoint-10", "checkpoint-9", "checkpoint-2"]
