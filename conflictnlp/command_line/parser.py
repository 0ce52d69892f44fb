"""The parser that all commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn

from conflictnlp.errors import InputError


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like every other.

    Attributes:
        late_epilog: makes the end of the help from what only the help needs to import.
    """

    late_epilog: Callable[[], str] | None = None

    def format_help(self) -> str:
        """Return the help."""
        if self.late_epilog is not None:
            self.epilog = self.late_epilog()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Refuse the words."""
        raise InputError(f"{message} (see {self.prog} --help)")


Commands = argparse._SubParsersAction
