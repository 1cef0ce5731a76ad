"""Threads that stay, waiting for work: waking one takes some microseconds, making one a hundred.

They are daemons that wait for a lock, so they do not keep a program from ending, and a forked process makes its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextvars import copy_context


class _Task:
    """What several threads do at once, and which of them are at it."""

    def __init__(self, work: Callable[[], object], helpers: int) -> None:
        self.work = work
        self.lock = threading.Lock()
        self.helpers_left = helpers
        self.helpers = helpers
        self.running = 0
        self.is_open = True
        self.over: threading.Lock | None = None
        self.error: BaseException | None = None

    def call_one(self) -> None:
        """Wake another thread; it wakes the next one, so that the caller gets to work at once."""
        if self.helpers_left > 0:
            self.helpers_left -= 1
            helper = _idle(self.helpers)
            if helper is not None:
                helper.task = self
                helper.context = copy_context()  # np.errstate and the like
                helper.wake.release()

    def help(self) -> None:
        """Take part, unless the caller is done already."""
        with self.lock:
            if not self.is_open:
                return
            self.running += 1
            self.call_one()
        try:
            self.work()
        except BaseException as error:
            self.error = error
        with self.lock:
            self.running -= 1
            # What comes later would find nothing to do.
            self.is_open = False
            if self.over is not None and self.running == 0:
                self.over.release()

    def close(self, *, wait: bool) -> None:
        """Let nobody else begin, and wait for those who have."""
        with self.lock:
            self.is_open = False
            if not wait or self.running == 0:
                return
            self.over = threading.Lock()
            self.over.acquire()
        self.over.acquire()


class _Helper:
    """One thread."""

    def __init__(self) -> None:
        self.wake = threading.Lock()
        self.wake.acquire()
        self.task: _Task | None = None
        self.context = copy_context()

    def serve(self) -> None:
        """Help whoever wakes this thread up, for ever."""
        while True:
            self.wake.acquire()
            assert self.task is not None
            self.context.run(self.task.help)
            self.task = None  # its arrays must not outlive it
            _IDLE.append(self)


_IDLE: list[_Helper] = []
_made = 0
_making = threading.Lock()


def _idle(most: int) -> _Helper | None:
    """Return a helper that waits, or a new one unless there are as many as wanted."""
    global _made
    try:
        return _IDLE.pop()
    except IndexError:
        pass
    with _making:
        if _made >= most:
            return None
        helper = _Helper()
        try:
            threading.Thread(target=helper.serve, name="fastbt-series", daemon=True).start()
        except RuntimeError:  # the system has no more, or the program ends
            return None
        _made += 1
        return helper


def _forget() -> None:
    """Begin anew: threads do not survive a fork."""
    global _made, _making
    _IDLE.clear()
    _made, _making = 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def share(work: Callable[[], object], helpers: int) -> None:
    """Run `work` in this thread and in others, at once; return when all who began are done.

    Parameters
    ----------
    work : callable
        Takes one piece after the other from what all share, until nothing is left. If it returns True in this thread,
        all pieces are known to be done, and nobody is waited for.
    helpers : int
        Other threads, at most. One that wakes up when this one is done does nothing.

    Raises
    ------
    BaseException
        What `work` raised, in any thread.

    Examples
    --------
    >>> pieces, done = iter(range(100)), []
    >>> share(lambda: done.extend(pieces), 2)
    >>> sorted(done) == list(range(100))
    True
    """
    task = _Task(work, helpers)
    complete = False
    try:
        task.call_one()
        complete = work() is True
    finally:
        task.close(wait=not complete)
    if task.error is not None:
        raise task.error
