"""Threads that share rows: all of them, once, whatever goes wrong; Ctrl-C without harm."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from fastbt.sweep.workers import Stop, Workers, deferred_interrupt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n", [0, 1, 2, 17, 5000])
def test_run__does_each_row_once(threads, n):
    done, by = [], set()

    def task(first, last):
        assert first < last
        by.add(threading.get_ident())
        done.extend(range(first, last))

    with Workers(threads) as workers:
        for _ in range(3):
            done.clear()
            parts = workers.run(task, n, Stop(), largest=50)
            assert sorted(done) == list(range(n))
            assert sorted(parts) == sorted(set(parts))
            assert sum(last - first for first, last in parts) == n
            assert all(last - first <= 50 for first, last in parts)
    assert len(by) <= threads


@pytest.mark.parametrize("threads", [1, 3])
def test_run__begins_parts_where_something_begins(threads):
    starts = np.arange(7, 1000, 7)
    with Workers(threads) as workers:
        parts = sorted(
            workers.run(lambda first, last: time.sleep(0.0002 * (last - first)), 1000, Stop(), starts=starts)
        )
        assert [first for first, _ in parts[1:]] == [last for _, last in parts[:-1]]
        assert parts[-1][1] == 1000
        # The last parts are smaller than what begins.
        large = [first for (first, last) in parts if first > 0 and last - first >= 14]
        assert len(large) > 3 and all(first % 7 == 0 for first in large)
        # Where all belongs together it is divided all the same.
        assert len(workers.run(lambda first, last: None, 100, Stop(), starts=np.array([], dtype=np.int64))) > 1


@pytest.mark.parametrize("n", [100, 97, 5])
def test_run__ends_with_parts_that_are_not_too_small(n):
    with Workers(2) as workers:
        parts = sorted(workers.run(lambda first, last: None, n, Stop(), smallest=8))
    assert [first for first, _ in parts[1:]] == [last for _, last in parts[:-1]] and parts[-1][1] == n
    assert all(last - first >= 8 for first, last in parts[:-1])


def test_run__uses_all_threads():
    barrier = threading.Barrier(3, timeout=30)
    with Workers(3) as workers:
        # Nobody gets on alone.
        workers.run(lambda first, last: barrier.wait() if first < 3 else None, 3, Stop(), largest=1)


def test_run__tells_in_the_callers_thread():
    told, threads = [], set()

    def tell(parts):
        threads.add(threading.get_ident())
        told.extend(parts)

    with Workers(3) as workers:
        parts = workers.run(lambda first, last: time.sleep(0.001), 2000, Stop(), tell)
    assert sorted(told) == sorted(parts)
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 3])
def test_run__raises_what_a_task_raises_and_can_be_used_again(threads):
    def task(first, last):
        if last > 500:
            raise ValueError(f"at {first}")

    with Workers(threads) as workers:
        with pytest.raises(ValueError, match="at "):
            workers.run(task, 1000, Stop())
        assert sum(last - first for first, last in workers.run(lambda *_: None, 1000, Stop())) == 1000


def test_run__stops_soon():
    stop = Stop()
    began = []

    def task(first, last):
        began.append(time.perf_counter())
        time.sleep(0.01)
        if len(began) == 5:
            stop.set()

    with Workers(2) as workers:
        parts = workers.run(task, 10**9, stop)
    assert 5 <= len(parts) <= 8


def test_run__comes_back_within_a_moment_whatever_a_row_takes():
    # Parts grow only as far as 30 ms of work.
    longest = 0.0

    def task(first, last):
        nonlocal longest
        longest = max(longest, (last - first) * 0.004)
        time.sleep((last - first) * 0.004)

    with Workers(2) as workers:
        workers.run(task, 120, Stop())
    assert longest <= 0.1


# --- Ctrl-C ---------------------------------------------------------------------------------------------------------


def test_interrupt__waits_until_it_does_no_harm():
    stop = Stop()
    reached = False
    with deferred_interrupt(stop):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        reached = True
    assert reached and stop and stop.by_signal
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


def test_interrupt__a_second_one_raises():
    stop = Stop()
    with pytest.raises(KeyboardInterrupt), deferred_interrupt(stop):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        assert stop
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt__in_another_thread_changes_nothing():
    found = []

    def work():
        with deferred_interrupt(Stop()) as stop:
            found.append((stop, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not found[0][0] and found[0][1] is signal.default_int_handler


def test_run__survives_ctrl_c_at_any_moment():
    """Many interruptions at random moments: none is lost, none leaves a thread waiting for ever."""
    sent = 0
    deadline = time.monotonic() + 60

    def task(done, part):
        if time.monotonic() > deadline:
            raise AssertionError("an interruption was lost")
        done.append(part)

    with Workers(3) as workers:
        for round_ in range(60):
            stop = Stop()
            done = []
            timer = threading.Timer(0.0005 * round_ / 3, os.kill, (os.getpid(), signal.SIGINT))
            with deferred_interrupt(stop):
                timer.start()
                parts = workers.run(lambda *part, done=done: task(done, part), 10**12, stop)
                timer.join()
            assert stop.by_signal
            assert sorted(done) == sorted(parts)
            sent += 1
    assert sent == 60
