"""Every study tells its question, its command, what came out and what was learnt, with the pictures that it shows."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STUDIES = sorted(path.parent for path in (ROOT / "experiments").glob("*/README.md"))
PLOTS = runpy.run_path(str(ROOT / "scripts" / "plot_studies.py"))


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.name)
def test_a_study_is_told_whole(study: Path) -> None:
    told = (study / "README.md").read_text(encoding="utf-8")
    assert "**Question.**" in told
    assert re.search(r"^```console\n(python|conflictnlp|export) ", told, re.MULTILINE)
    assert re.search(r"^\|[ :|-]+\|$", told, re.MULTILINE)
    assert re.search(r"^\*\*(What was learnt|Learnt)\.\*\*", told, re.MULTILINE)
    pictures = re.findall(r"^!\[.+\]\((\S+)\.png\)$", told, re.MULTILINE)
    assert pictures
    for name in pictures:
        assert all((study / f"{name}.{suffix}").stat().st_size > 2000 for suffix in ("png", "svg")), name


def test_configs_of_a_study_have_its_folder() -> None:
    groups = {path.name for path in (ROOT / "conf" / "experiment").iterdir() if path.is_dir()}
    assert groups and groups <= {study.name for study in STUDIES}


@pytest.mark.parametrize("picture", PLOTS["PICTURES"], ids=lambda picture: f"{picture.study}-{picture.name}")
def test_a_picture_shows_the_study_s_own_table(picture) -> None:
    rows = PLOTS["read_table"](picture)
    names = [PLOTS["name_of"](row, picture) for row in rows]
    assert len(set(names)) == len(names) >= 2
    told = [row[column] for row in rows for column in picture.columns if row[column] != "–"]
    drawn = [PLOTS["value"](cell) for cell in told]
    lowest = picture.start or 0
    assert all(number >= lowest and spread >= 0 for number, spread in drawn)
    shown = (ROOT / "experiments" / picture.study / f"{picture.name}.svg").read_text(encoding="utf-8")
    assert all(f">{name}</text>" in shown for name in names)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("**0.746** ± 0.023", (0.746, 0.023)),
        ("15.8%", (0.158, 0.0)),
        ("0.975, 6,000 rows", (0.975, 0.0)),
        ("508", (508, 0)),
    ],
)
def test_cells_are_read(cell: str, found: tuple[float, float]) -> None:
    (bare,) = PLOTS["cells"](f"| {cell} |")
    assert PLOTS["value"](bare) == pytest.approx(found)
