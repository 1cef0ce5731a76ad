"""Threads that share the rows of a batch, and Ctrl-C that waits until it does no harm."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np

from fastbt.compiler.sets import Rows

#: A thread comes back this often, to see whether it should stop: cancelling takes no longer.
_TARGET_S = 0.03
#: Rows of a first part, before the speed is known.
_FIRST = 16


def available_threads() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Stop:
    """Asks what is running to stop, from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        #: Whether Ctrl-C asked, rather than the program.
        self.by_signal = False

    def set(self) -> None:
        """Ask."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()


@contextmanager
def deferred_interrupt(stop: Stop) -> Iterator[Stop]:
    """Let the first Ctrl-C set `stop` instead of raising anywhere; a second one raises.

    `KeyboardInterrupt` is raised between any two instructions of the main thread: also while it holds a lock that its
    threads wait for, or half-way through `concurrent.futures.wait`, after which nobody ever wakes up. In another thread
    than the main one, where there are no signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):  # ignored, or not Python's
        yield stop
        return

    def note(number: int, frame: FrameType | None) -> None:
        if stop:
            before(number, frame)
        stop.by_signal = True
        stop.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


class Workers:
    """Threads that wait for rows to run; the caller's own thread is one of them.

    Parameters
    ----------
    n : int
        How many threads work, the caller's included.

    Examples
    --------
    >>> done = []
    >>> with Workers(2) as workers:
    ...     parts = workers.run(lambda first, last: done.extend(range(first, last)), 100, Stop())
    >>> sorted(done) == list(range(100))
    True
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the threads end."""
        for _ in self._threads:
            self._jobs.put(None)
        self._threads = []

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.work()
            job.left.put(None)
            del job  # its arrays must not outlive it

    def run(
        self,
        task: Callable[[int, int], Any],
        n_rows: int,
        stop: Stop,
        tell: Callable[[list[tuple[int, int]]], None] | None = None,
        *,
        largest: int = 4096,
        smallest: int = 1,
        starts: Rows | None = None,
    ) -> list[tuple[int, int]]:
        """Call `task(first, last)` until all rows are done or `stop` is set.

        Parameters
        ----------
        task : callable
            Called from several threads with parts of the rows that do not overlap.
        n_rows : int
        stop : Stop
        tell : callable, optional
            Called in the caller's thread, now and then, with the parts that are done since.
        largest : int
            Rows of a part, at most.
        smallest : int
            Rows that go together: towards the end, too, a part has as many, if they are left.
        starts : ndarray of int, optional
            Rows with which something begins that a part should have as a whole, in order; kept where it costs no more
            than half of a part.

        Returns
        -------
        list of (int, int)
            The parts that are done: all of them, unless it was stopped.
        """
        job = _Job(task, n_rows, stop, self.n, largest, smallest, starts)
        helpers = min(self.n - 1, max(0, n_rows - 1))
        while len(self._threads) < helpers:
            thread = threading.Thread(target=self._serve, name="fastbt", daemon=True)
            thread.start()
            self._threads.append(thread)
        for _ in range(helpers):
            self._jobs.put(job)
        try:
            job.work(tell)
        finally:
            if job.error is not None or not job.ended:
                stop.set()
            for _ in range(helpers):
                job.left.get()
        if job.error is not None:
            raise job.error
        if tell is not None and (news := job.news()):
            tell(news)
        return job.done


class _Job:
    """Rows to run, and who has which."""

    def __init__(
        self,
        task: Callable[[int, int], Any],
        n_rows: int,
        stop: Stop,
        threads: int,
        largest: int,
        smallest: int,
        starts: Rows | None,
    ) -> None:
        self._task, self._n, self._stop, self._threads, self._largest = task, n_rows, stop, threads, largest
        self._smallest, self._starts = smallest, starts
        self._next = 0
        self._told = 0
        self._lock = threading.Lock()
        self.done: list[tuple[int, int]] = []
        self.left: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.error: BaseException | None = None
        self.ended = False

    def _take(self, size: int) -> tuple[int, int]:
        with self._lock:
            first = self._next
            # Smaller parts towards the end, so that the threads finish together.
            fair = -(-(self._n - first) // (2 * self._threads))
            last = first + min(max(self._smallest, min(size, fair)), self._n - first)
            if self._starts is not None and first < last < self._n:
                at = int(np.searchsorted(self._starts, last, side="right"))
                whole = int(self._starts[at - 1]) if at > 0 else 0
                if whole > (first + last) // 2:
                    last = whole
            self._next = last
        return first, last

    def work(self, tell: Callable[[list[tuple[int, int]]], None] | None = None) -> None:
        """Run parts of the rows until there are no more."""
        size = min(_FIRST, self._largest)
        told_at = time.perf_counter()
        try:
            while not self._stop and self.error is None:
                first, last = self._take(size)
                if first == last:
                    break
                began = time.perf_counter()
                self._task(first, last)
                now = time.perf_counter()
                self.done.append((first, last))
                fitting = (last - first) * _TARGET_S / max(now - began, 1e-9)
                size = int(min(self._largest, 4 * size, max(1, fitting)))
                if tell is not None and now - told_at > _TARGET_S:
                    tell(self.news())
                    told_at = now
            self.ended = True
        except BaseException as error:
            self.error = error

    def news(self) -> list[tuple[int, int]]:
        """Return the parts that are done since the last call."""
        upto = len(self.done)
        found, self._told = self.done[self._told : upto], upto
        return found
