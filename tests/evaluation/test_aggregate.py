import pytest

from conflictnlp.evaluation.aggregate import COVERS, spread, spread_table
from conflictnlp.evaluation.spread_plot import draw_spreads


def test_t_interval_of_three_seeds():
    found = spread([0.70, 0.72, 0.74])
    assert found.mean == pytest.approx(0.72)
    assert found.sd == pytest.approx(0.02)
    # t(0.975, 2) = 4.302653; 4.302653 * 0.02 / sqrt(3) = 0.049683
    assert (found.low, found.high) == pytest.approx((0.670317, 0.769683), abs=1e-6)


def test_another_level_is_another_interval():
    # t(0.75, 1) = 1; sd of (0.5, 0.7) over sqrt(2) = 0.1
    found = spread([0.5, 0.7], level=0.5)
    assert (found.low, found.high) == pytest.approx((0.5, 0.7))


def test_one_seed_has_no_interval():
    found = spread([0.5])
    assert (found.mean, found.sd, found.low, found.high) == (0.5, None, None, None)
    assert str(found) == "0.500"


def test_the_table_has_a_row_a_configuration():
    table = spread_table({"model=a": {"test/macro_f1": spread([0.5, 0.7])}, "model=b": {"val/ece": spread([0.1])}})
    assert "| model=a | 2 | 0.600 ± 0.141 [-0.671, 1.871] |  |" in table
    assert "| model=b | 1 |  | 0.100 |" in table


def test_what_the_interval_leaves_out_is_said():
    assert "does not cover the choice of the test set" in COVERS


def test_the_picture_is_written(tmp_path):
    paths = draw_spreads({"a": spread([0.5, 0.7]), "b": spread([0.4])}, "test/macro_f1", 0.95, tmp_path / "figures")
    assert [path.name for path in paths] == ["test_macro_f1_over_seeds.png", "test_macro_f1_over_seeds.svg"]
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert "macro_f1 (grey: seeds" in paths[1].read_text()
