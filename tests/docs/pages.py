"""The documentation's pages as tests read them: files that a page makes, commands in its order."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(
    r"(?:^<!-- test: (?P<mark>[^>]+?) -->\n+)?^```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"\s{2,}#.*$|^#.*$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        kind: the word after the fence: console, text, python, …
        title: the file that it is, if any.
        mark: what the page tells the tests: slow; parse (not run); or "status N" for the last command's exit status.
        body: what stands in it.
    """

    kind: str
    title: str
    mark: str
    body: str

    @property
    def commands(self) -> list[str]:
        """Its lines without comments."""
        lines = [_COMMENT.sub("", line).strip() for line in self.body.splitlines()]
        return [line for line in lines if line]

    @property
    def status(self) -> int:
        """The exit status that its last command shall have."""
        return int(self.mark.removeprefix("status ")) if self.mark.startswith("status ") else 0


def pages() -> list[Path]:
    """Return every page."""
    return sorted(DOCS.rglob("*.md"))


def blocks(page: Path) -> list[Block]:
    """Return a page's fenced blocks in order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(m["kind"], m["title"] or "", (m["mark"] or "").strip(), m["body"]) for m in found]


def write_files(page: Path, folder: Path) -> None:
    """Write the blocks that have a title as files, as a reader would."""
    for block in blocks(page):
        if block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")


def words_of(command: str) -> list[str]:
    """Return the words of a `conflictnlp` command without what stands before it; none for other commands."""
    words = shlex.split(command)
    if "conflictnlp" not in words:
        return []
    return words[words.index("conflictnlp") + 1 :]


def inline(page: Path) -> list[str]:
    """Return what stands between backticks in a page's text."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
