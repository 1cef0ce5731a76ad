"""A running sweep on the screen: live on a terminal, else a line every few seconds, or JSON lines."""

from __future__ import annotations

import json
import math
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from fastbt.interfaces._terminal import Progress, console, counted, duration, plain, say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.spinner import Spinner

    from fastbt.sweep.progress import SweepProgress

_BARS: Final = "▁▂▃▄▅▆▇█"
_PLAIN_BARS: Final = ".:-=+*#@"
_BINS: Final = 32
_BAR_WIDTH: Final = 30


def histogram_text(state: SweepProgress, bins: int = _BINS, bars: str = _BARS) -> str:
    """Return the values of the metric as a histogram of one line; empty if there are none."""
    from fastbt.interfaces._views import metric_text
    from fastbt.sweep.progress import histogram

    counts, low, high = histogram(state.values, bins)
    if math.isnan(low):
        return ""
    most = max(1, int(counts.max()))
    # A bin that holds anything shows at least the lowest bar.
    drawn = "".join(" " if n == 0 else bars[min(len(bars) - 1, n * len(bars) // (most + 1))] for n in counts.tolist())
    return f"{metric_text(state.metric, low)} {drawn} {metric_text(state.metric, high)}"


def best_text(state: SweepProgress) -> str:
    """Return the best set so far, in words; empty if there is none."""
    from fastbt.interfaces._views import metric_text, value_text

    if state.best_set is None:
        return ""
    values = ", ".join(f"{name}={value_text(value)}" for name, value in state.best_set.items())
    return f"best {state.metric} {metric_text(state.metric, state.best)}" + (f": {values}" if values else "")


def left_text(state: SweepProgress) -> str:
    """Return how long it will take, in words; empty if that cannot be told yet."""
    expected, least, most = state.left_s
    if not math.isfinite(expected) or state.done >= state.total:
        return ""
    about = f"{duration(expected)} left"
    low, high = duration(least), duration(most)
    return about if low == high else f"{about} ({low} to {high})"


def rate_text(state: SweepProgress) -> str:
    """Return the speed in words; empty if it is not known yet."""
    if not math.isfinite(state.rate):
        return ""
    return f"{state.rate:,.0f} sets/s" if state.rate >= 10 else f"{state.rate:.2g} sets/s"


def counts_text(state: SweepProgress) -> str:
    """Return what became of the sets, and the memory, in words."""
    from fastbt.sweep.memory import bytes_text

    parts = [f"{n:,} {kind}" for kind, n in state.counts.items() if n or kind == "ok"]
    if state.memory:
        parts.append(f"{bytes_text(state.memory)} of memory")
    return ", ".join(parts)


def state_dict(state: SweepProgress) -> dict[str, Any]:
    """Return the state for machines."""
    from fastbt.sweep.progress import histogram

    counts, low, high = histogram(state.values, _BINS)
    expected, least, most = state.left_s
    return {
        "done": state.done,
        "total": state.total,
        "seconds": state.seconds,
        "sets_per_second": state.rate,
        "seconds_left": expected,
        "seconds_left_low": least,
        "seconds_left_high": most,
        **state.counts,
        "metric": state.metric,
        "best": state.best,
        "best_set": state.best_set,
        "histogram": {"low": low, "high": high, "counts": counts},
        "memory": state.memory,
    }


class SweepView(Progress):
    """Shows a sweep while it runs.

    Parameters
    ----------
    as_json : bool
        Print JSON lines on stderr, one every few seconds, instead of text.

    Examples
    --------
    >>> with SweepView(as_json=True) as view:
    ...     view.stage("Compiling")
    """

    def __init__(self, *, as_json: bool = False) -> None:
        super().__init__("sets")
        self._as_json = as_json
        self._state: SweepProgress | None = None
        self._live: Live | None = None
        self._console: Console | None = None
        self._spinner: Spinner | None = None

    def __enter__(self) -> Self:
        if self._as_json or not sys.stderr.isatty():
            self._lines = threading.Thread(target=self._print_lines, daemon=True)
            self._lines.start()
            return self
        from rich.live import Live

        self._console = console(stderr=True)
        self._live = Live(
            get_renderable=self._render, console=self._console, transient=True, refresh_per_second=8, screen=False
        )
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._live is not None:
            self._live.stop()

    def stage(self, text: str) -> None:
        """Begin something whose length is not known."""
        self.stage_text, self._state = text, None

    def show(self, state: SweepProgress) -> None:
        """Tell how far the sweep is."""
        self._state = state

    def line(self) -> str:
        """Return the state as one line of text, or of JSON."""
        state = self._state
        if self._as_json:
            return "" if state is None else json.dumps(plain({"progress": state_dict(state)}), allow_nan=False)
        if state is None:
            return super().line()
        parts = [f"{state.done:,} of {state.total:,} {self.noun}", rate_text(state), left_text(state)]
        parts += [best_text(state).partition(":")[0], counts_text(state)]
        return ", ".join(part for part in parts if part)

    def _print_lines(self) -> None:
        from fastbt.interfaces import _terminal

        while not self._ended.wait(_terminal.LINE_EVERY_S):
            if text := self.line():
                if self._as_json:
                    # One line, however wide the terminal is.
                    sys.stderr.write(text + "\n")
                    sys.stderr.flush()
                else:
                    say(text)

    def _render(self) -> RenderableType:
        """Return what the terminal shows now."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        state = self._state
        if self._spinner is None:
            self._spinner = Spinner("dots")
        head = Table.grid(padding=(0, 1))
        if state is None:
            head.add_row(self._spinner, Text(self.stage_text))
            return head
        assert self._console is not None
        so_far, speed = f"{state.done:,} of {counted(state.total, 'set')}", rate_text(state)
        # What the texts leave, spinner and spaces taken off.
        room = min(_BAR_WIDTH, self._console.width - len(so_far) - len(speed) - 8)
        bar = [ProgressBar(total=max(1, state.total), completed=state.done, width=room)] if room >= 5 else []
        head.add_row(self._spinner, Text(so_far, no_wrap=True), *bar, Text(speed, no_wrap=True))
        utf = (self._console.encoding or "").lower().startswith("utf")
        told = histogram_text(state, bars=_BARS if utf else _PLAIN_BARS)
        lines = [
            ", ".join(part for part in (f"{duration(state.seconds)} so far", left_text(state)) if part),
            best_text(state),
            f"{state.metric} {told}" if told else "",
            counts_text(state),
        ]
        width = self._console.width
        return Group(head, *(Text(f"  {line}"[:width], no_wrap=True) for line in lines if line))
