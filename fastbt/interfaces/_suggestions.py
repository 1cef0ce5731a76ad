"""Commands that are suggested, as they are to be typed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

#: Options of `fastbt backtest` that `fastbt verify` does not take, and whether a value follows.
_DROPPED: Final = {"--trades": True, "--mode": True, "--json": False, "--debug": False}


def given() -> list[str]:
    """Return the arguments of this command line; none if fastbt is not run as a command."""
    return sys.argv[1:] if Path(sys.argv[0]).stem == "fastbt" else []


def verify_command(arguments: Sequence[str]) -> str:
    """Return the command that compares with Jesse what a `fastbt backtest` with these arguments ran.

    Examples
    --------
    >>> verify_command(["backtest", "my strategy.py", "--set", "n=5", "--trades=3", "-t", "4h"])
    "fastbt verify 'my strategy.py' -s n=5 -t 4h --n 1"
    """
    kept, skip = ["fastbt", "verify"], False
    for each in arguments[1:]:
        name, equals, value = each.partition("=")
        if skip or name in _DROPPED:
            skip = not skip and not equals and _DROPPED[name]
        elif name == "--set":
            kept += ["-s", value] if equals else ["-s"]
        else:
            kept.append(each)
    return shlex.join([*kept, "--n", "1"])


def interpreted_command(arguments: Sequence[str]) -> str:
    """Return the command that runs as ordinary Python what does not compile.

    Examples
    --------
    >>> interpreted_command(["compile", "mine.py", "--explain"])
    'fastbt backtest mine.py --mode interpreted'
    >>> interpreted_command(["verify", "mine.py", "-t", "4h"])
    'fastbt verify mine.py -t 4h --mode interpreted'
    """
    if arguments[0] == "compile":
        names = [each for each in arguments[1:] if not each.startswith("-")]
        return shlex.join(["fastbt", "backtest", *names[:1], "--mode", "interpreted"])
    return shlex.join(["fastbt", *arguments, "--mode", "interpreted"])
