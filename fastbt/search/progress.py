"""What a running search tells, and when it is asked to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from fastbt.errors import SettingsError
from fastbt.sweep.workers import Stop, deferred_interrupt


@dataclass(frozen=True)
class SearchProgress:
    """The state of a running search.

    Attributes
    ----------
    noun : str
        What is counted: trials, windows or cells.
    done, total : int
    seconds : float
        Since the start.
    best : float or None
        The best value of the (first) objective so far.
    best_set : mapping or None
        Its hyper-parameters.
    counts : mapping of int
        How many are complete, infeasible and failed.
    part : SearchProgress or None
        The trials of the window that is being searched.
    """

    noun: str
    done: int
    total: int
    seconds: float
    best: float | None = None
    best_set: Mapping[str, Any] | None = None
    counts: Mapping[str, int] | None = None
    part: SearchProgress | None = None


#: Called now and then. What it raises ends the search; KeyboardInterrupt ends it as Ctrl-C does.
Progress = Callable[[SearchProgress], None]


class Control:
    """Tells the progress, and stops at Ctrl-C, at the time limit, or when the progress function says so."""

    def __init__(self, progress: Progress | None, time_limit: float | None) -> None:
        if time_limit is not None and not time_limit > 0:
            raise SettingsError(f"time_limit wants seconds above 0; it was {time_limit!r}")
        self._progress, self._limit = progress, time_limit
        self._began = time.perf_counter()
        self.stop = Stop()
        self.timed_out = False

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._began

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C or the progress function ended it."""
        return bool(self.stop) and not self.timed_out

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let Ctrl-C and the time limit set `stop` inside."""

        def end() -> None:
            self.timed_out = not self.stop
            self.stop.set()

        timer = None
        if self._limit is not None:
            timer = threading.Timer(self._limit, end)
            timer.daemon = True
            timer.start()
        try:
            with deferred_interrupt(self.stop):
                yield
        finally:
            if timer is not None:
                timer.cancel()

    def tell(self, state: SearchProgress) -> None:
        """Call the progress function."""
        if self._progress is None:
            return
        try:
            self._progress(replace(state, seconds=self.seconds))
        except KeyboardInterrupt:
            self.stop.set()
