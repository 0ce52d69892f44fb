"""The documentation's commands: those of the tutorial and the how-to pages run, all others fit the real parser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from conflictnlp.command_line import build_parser
from conflictnlp.composition import compose_node, shipped, to_config
from conflictnlp.errors import InputError
from tests.commands.conftest import say
from tests.docs.pages import DOCS, Block, blocks, inline, pages, words_of, write_files
from tests.tracking.conftest import empty_database

__all__ = ["empty_database"]
RUN = [DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md"))]
CONSOLE = {page: [block for block in blocks(page) if block.kind == "console"] for page in RUN}
SLOW = [page for page in RUN if page.stem == "tutorial" or any(block.mark == "slow" for block in CONSOLE[page])]
QUICK = [
    page
    for page in RUN
    if page.stem != "tutorial" and any(block.mark not in ("parse", "slow") for block in CONSOLE[page])
]
# Scores of the quick runs are not looked at.
CHEAP = ("evaluation.plots=false", "evaluation.bootstrap=20", "model.max_features=500", "data.limit=60")
BIN = Path(sys.executable).parent
_WORD = re.compile(r"[\w/]+(\.\w+)*=\S+")


def name(page: Path) -> str:
    return str(page.relative_to(DOCS))


def runs(block: Block, slow: bool) -> bool:
    return block.mark != "parse" and (slow or block.mark != "slow")


@pytest.fixture
def folder(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(empty_database, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", QUICK, ids=name)
def test_the_quick_commands_of_a_page_run(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(page, folder)
    for block in CONSOLE[page]:
        for command in block.commands if runs(block, slow=False) else ():
            wanted = block.status if command == block.commands[-1] else 0
            words = words_of(command)
            if not words or command.split()[0].isupper():
                status, told = shell(command, folder)
            else:
                if words[0] == "train" and "model=tfidf" in words:
                    words += CHEAP
                with monkeypatch.context() as patch:
                    if command.startswith("MLFLOW_TRACKING_URI="):
                        patch.setenv("MLFLOW_TRACKING_URI", command.split()[0].partition("=")[2])
                    said = say(*words)
                status, told = said.status, said.err
            assert status == wanted, f"{command}\n{told[-3000:]}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", SLOW, ids=name)
def test_every_command_of_a_page_runs_as_it_stands(page: Path, folder: Path, tiny_hub: dict[str, str]) -> None:
    write_files(page, folder)
    for block in CONSOLE[page]:
        for command in block.commands if runs(block, slow=True) else ():
            wanted = block.status if command == block.commands[-1] else 0
            status, told = shell(command, folder, tiny_hub)
            assert status == wanted, f"{command}\n{told[-3000:]}"
            assert "Traceback" not in told


def shell(command: str, folder: Path, settings: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a command line in the page's folder; return its status and what it wrote."""
    found = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **(settings or {})}
    done = subprocess.run(command, shell=True, cwd=folder, env=found, capture_output=True, text=True, timeout=900)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="session")
def tiny_hub(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> dict[str, str]:
    """An environment whose hub cache holds the tiny encoder under MiniLM's name: the commands need no change."""
    cache = tmp_path_factory.mktemp("hub")
    repository = cache / "models--sentence-transformers--all-MiniLM-L6-v2"
    commit = "0" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    shutil.copytree(tiny_encoder, repository / "snapshots" / commit)
    return {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}


def commands() -> list[tuple[str, str]]:
    """Every `conflictnlp` command line of every page's console and text blocks that no quick test runs."""
    return sorted(
        {
            (name(page), command)
            for page in pages()
            for block in blocks(page)
            if block.kind in ("console", "text") and not block.title
            if not (page in QUICK and block in CONSOLE[page] and runs(block, slow=False))
            for command in block.commands
            if words_of(command)
        }
    )


def test_there_are_commands_to_check() -> None:
    assert len(commands()) > 40
    assert {page for page, _ in commands()} >= {"import.md", "experiments.md", "tutorial.md"}


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_fits_the_parser(page: str, command: str, tmp_path: Path) -> None:
    words = words_of(command)
    if words[0] == "--version":
        return
    if words[0] != "train":
        options = build_parser().parse_args(words)
        words = list(getattr(options, "overrides", ()))
    write_files(DOCS / page, tmp_path)
    compose_words([word for word in words if word not in ("train", "-m")], tmp_path)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_words_within_a_page_s_text_fit_the_config(page: Path, tmp_path: Path) -> None:
    for told in inline(page):
        words = told.removeprefix("conflictnlp train ").split()
        # MLflow's filters, environment variables and dotted omissions are no words of Hydra's.
        if "…" in told or told[:1].isupper() or "DIR" in told or not all(map(_WORD.fullmatch, words)):
            continue
        compose_words(words, tmp_path)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_options_within_a_page_s_text_are_options_of_a_command(page: Path) -> None:
    known = known_options()
    foreign = ("python scripts/", "accelerate ", "torchrun ", "mlflow ")
    own = [text for text in inline(page) if not text.startswith(foreign)]
    told = {word for text in own for word in re.findall(r"(?<![\w-])--[a-z][\w-]*", text)}
    assert told <= known, f"{name(page)}: {told - known}"


def known_options() -> set[str]:
    """Every option of every command, those of Hydra among them."""
    found = {"--config-dir", "--cfg", "--info"}
    waiting = [build_parser()]
    while waiting:
        for action in waiting.pop()._actions:
            found.update(action.option_strings)
            if isinstance(action.choices, dict):
                waiting.extend(action.choices.values())
    return found


def compose_words(words: list[str], folder: Path) -> None:
    """Compose what Hydra would of these words, the first value of each sweep; fail if it refuses them."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    words = list(words)
    if "--config-dir" in words:
        place = words.index("--config-dir")
        own = folder / words[place + 1]
        del words[place : place + 2]
        if own.is_dir():
            words.insert(0, f"hydra.searchpath=[file://{own}]")
        else:
            # A folder that the page does not show: its options are not known here.
            words = [word for word in words if not _is_own(word)]
    singles = []
    for override in OverridesParser.create().parse_overrides(words):
        if override.is_sweep_override():
            singles.append(f"{override.key_or_group}={next(override.sweep_string_iterator())}")
        else:
            singles.append(str(override.input_line))
    fault = _fault(tuple(singles))
    assert fault is None, f"{' '.join(words)}: {fault}"


@cache
def _fault(words: tuple[str, ...]) -> str | None:
    """Return why words fit no config; None if they do, by themselves or with a companion that a page's text implies."""
    # pretrain, search and learning-curve take the same words; a key may be one of another kind of model.
    companions: list[tuple[str, ...]] = [(), ("model=tfidf",), ("evaluation.folds=5",)]
    companions += [("hydra/launcher=joblib",), ("hydra/launcher=submitit_slurm",), ("model=encoder", "model.encoder=x")]
    first = None
    for companion in companions:
        try:
            to_config(compose_node([*companion, *words])[0])
        except InputError as error:
            first = first or str(error)
        else:
            return None
    return first


def _is_own(word: str) -> bool:
    group, _, option = word.partition("=")
    return group == "experiment" or (group in ("task", "data", "model", "search") and option not in shipped(group))
