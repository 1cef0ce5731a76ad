"""What commands print through: results to stdout; progress, warnings and errors to stderr."""

from __future__ import annotations

import _thread
import json
import math
import os
import shutil
import signal
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from fastbt.errors import CandleWarning

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress

    from fastbt.sweep.progress import SweepProgress

#: Seconds between two lines of progress where there is no terminal.
LINE_EVERY_S: Final = 3.0
#: Width of tables that go into a file or a pipe, where nothing says how wide they may be.
_PIPE_WIDTH: Final = 160


def console(*, stderr: bool = False) -> Console:
    """Return a rich console for stdout or stderr as they are now."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def plain(value: Any) -> Any:
    """Return a value in JSON's own types: NaN and infinities as None, numpy's numbers as Python's.

    Examples
    --------
    >>> plain({"a": (1, float("nan")), "b": complex(0, 1)})
    {'a': [1, None], 'b': '1j'}
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return plain(value.tolist())
    return str(value)


def write_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(plain(document), indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Print on stderr; on a terminal the first line is broken between words."""
    if sys.stderr.isatty():
        first, *rest = text.split("\n")
        width = shutil.get_terminal_size().columns
        wrapped = textwrap.wrap(first, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        text = "\n".join([*(wrapped or [""]), *rest])
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Show fastbt's warnings as one line on stderr, without the source line that Python adds."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, CandleWarning):
            say(f"Warning: {message}")
        else:
            before(message, category, *where, **more)

    with warnings.catch_warnings():
        before = warnings.showwarning
        warnings.simplefilter("always", CandleWarning)
        warnings.showwarning = show
        yield


@contextmanager
def control_c() -> Iterator[None]:
    """Let Ctrl-C end what is running, also while LLVM compiles.

    LLVM calls Python back with each object that it has made, and Python drops exceptions in such a callback: the
    interruption was lost, or came out as a failure of the compiler. So it waits until the callback is over.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_name.startswith("_raw_object_cache"):
                again = threading.Timer(0.02, _thread.interrupt_main)
                again.daemon = True
                again.start()
                return
            frame = frame.f_back
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Progress:
    """What is being done and how far it is: a bar on a terminal, else a line every few seconds.

    Parameters
    ----------
    noun : str
        What is counted, in the plural.
    shown : bool
        Nothing is printed if False.

    Examples
    --------
    >>> with Progress("sets", shown=False) as progress:
    ...     progress.stage("Compiling")
    ...     progress.count(5, 10, 1.0)
    """

    def __init__(self, noun: str, *, shown: bool = True) -> None:
        self.noun = noun
        self.shown = shown
        self.stage_text = ""
        self.done: tuple[int, int] | None = None
        self._began = self._counted_from = time.perf_counter()
        self._bar: RichProgress | None = None
        self._task: Any = None
        self._ended = threading.Event()
        self._lines: threading.Thread | None = None

    def __enter__(self) -> Self:
        if not self.shown:
            return self
        if sys.stderr.isatty():
            self._bar = self._make_bar()
            self._task = self._bar.add_task(self.stage_text, total=None, rate="")
            self._bar.start()
        else:
            self._lines = threading.Thread(target=self._print_lines, daemon=True)
            self._lines.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._bar is not None:
            self._bar.stop()
        if self._lines is not None:
            self._lines.join()

    @staticmethod
    def _make_bar() -> RichProgress:
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        return RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            console=console(stderr=True),
            transient=True,
        )

    def stage(self, text: str) -> None:
        """Begin something whose length is not known."""
        self.stage_text, self.done = text, None
        if self._bar is not None:
            self._bar.reset(self._task, total=None, description=text, rate="")

    def count(self, done: int, total: int, seconds: float) -> None:
        """Tell how many of `total` are done; the first call starts the clock."""
        now = time.perf_counter()
        if self.done is None:
            self._counted_from = now
        self.done = (done, total)
        if self._bar is not None:
            text = f"{done:,} of {total:,} {self.noun}"
            self._bar.update(self._task, completed=done, total=total, description=text, rate=self.rate())

    def show(self, state: SweepProgress) -> None:
        """Tell how far a sweep is."""
        self.count(state.done, state.total, state.seconds)

    def rate(self) -> str:
        """Return speed and time left, in words; empty before they can be told."""
        if self.done is None:
            return ""
        done, total = self.done
        seconds = time.perf_counter() - self._counted_from
        if done == 0 or seconds <= 0.0:
            return ""
        per_second = done / seconds
        speed = f"{per_second:,.0f} {self.noun}/s" if per_second >= 10 else f"{per_second:.2g} {self.noun}/s"
        return f"{speed}, {duration((total - done) / per_second)} left"

    def line(self) -> str:
        """Return the state as one line of text."""
        if self.done is None:
            return f"{self.stage_text} ({time.perf_counter() - self._began:.0f} s so far)" if self.stage_text else ""
        done, total = self.done
        return ", ".join(part for part in (f"{done:,} of {total:,} {self.noun}", self.rate()) if part)

    def _print_lines(self) -> None:
        while not self._ended.wait(LINE_EVERY_S):
            if text := self.line():
                say(text)


def duration(seconds: float) -> str:
    """Return a length of time as a person says it.

    Examples
    --------
    >>> duration(0.0042), duration(0.3), duration(2.34), duration(75), duration(7530), duration(200_000)
    ('4.2 ms', '300 ms', '2.3 s', '1 min 15 s', '2 h 6 min', '2 d 8 h')
    """
    if not math.isfinite(seconds):
        return "-"
    if seconds < 0.9995:
        return f"{seconds * 1000:.{1 if seconds < 0.00995 else 0}f} ms" if seconds else "0 s"
    if seconds < 59.95:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    for unit, size, smaller, small in (("min", 60, "s", 1), ("h", 3600, "min", 60), ("d", 86400, "h", 3600)):
        rounded = round(seconds / small) * small
        if rounded < size * {"min": 60, "h": 24, "d": math.inf}[unit]:
            rest = int(rounded % size) // small
            return f"{int(rounded // size):,} {unit}" + (f" {rest} {smaller}" if rest else "")
    raise AssertionError("unreachable")


def counted(n: int, noun: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "trade"), counted(1200, "trade")
    ('1 trade', '1,200 trades')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def moment(ms: float) -> str:
    """Return a time as `2019-03-01 12:00`, UTC.

    Examples
    --------
    >>> moment(1546300800000)
    '2019-01-01 00:00'
    """
    from fastbt.data.times import iso

    return iso(ms)[:16].replace("T", " ")
