"""The command `conflictnlp`: words in, exit status out."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence

from conflictnlp import processes
from conflictnlp.command_line import build_parser
from conflictnlp.dependencies import missing_library
from conflictnlp.errors import IncompleteError, InputError, TrackingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after `conflictnlp`; None for the process's own.

    Returns:
        the exit status: 0 done, 2 nothing done because of the input, 3 done but some rows carry an error, 130
        interrupted, 1 anything else.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Hydra parses these words itself; argparse would stumble over its overrides.
        if words[:1] == ["train"]:
            from conflictnlp.commands.application import main as train

            return train(words[1:])
        options = build_parser().parse_args(words)
        processes.refuse_several(f"conflictnlp {words[0]}")
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
        command: Callable[[argparse.Namespace], int] = options.run
        return command(options)
    except InputError as error:
        print(f"conflictnlp: {_line(error)}", file=sys.stderr)
        return 2
    except (TrackingError, IncompleteError) as error:
        print(f"conflictnlp: {_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("conflictnlp: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); Python must not complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if (line := missing_library(error) or _name_fault(error)) is not None:
            print(f"conflictnlp: {line}", file=sys.stderr)
            return 2
        line = _environment_fault(error)
        if line is None:
            raise
        print(f"conflictnlp: {line}", file=sys.stderr)
        return 1


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _name_fault(error: BaseException) -> str | None:
    """Tell in one line that no file can bear a name; None for other errors."""
    if not isinstance(error, OSError) or error.errno != errno.ENAMETOOLONG:
        return None
    name = os.fsdecode(error.filename or "")
    return f"the name is too long for a file: {name[:60]}{'…' if len(name) > 60 else ''}; choose a shorter one"


def _environment_fault(error: BaseException) -> str | None:
    """Tell a full or write-protected disk in one line, from whatever error a library made of it; None for others."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        number = link.errno if isinstance(link, OSError) else None
        where = f" at {link.filename}" if isinstance(link, OSError) and link.filename else ""
        # safetensors, torch and SQLite have errors of their own for it.
        if (
            number in (errno.ENOSPC, errno.EDQUOT)
            or "No space left on device" in str(link)
            or "disk is full" in str(link)
        ):
            return f"the disk is full{where}; free some space and start again"
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            return f"no permission{where} ({os.strerror(number or 0)}); start where you may write"
        link = link.__cause__ or link.__context__
    return None


if __name__ == "__main__":
    sys.exit(main())
