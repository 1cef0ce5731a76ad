"""Threads that stay: every piece is done once, whoever does it, and nobody is left waiting."""

import itertools
import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from indicator_cases import MARKETS

import fastbt.indicators as ta
from fastbt.indicators import _threads
from fastbt.indicators._threads import share
from fastbt.types import CLOSE


def squares(n, helpers):
    """What `n` pieces give, and who did them."""
    found, who = [0] * n, set()
    pieces = iter(range(n))

    def work():
        for piece in pieces:
            found[piece] += piece * piece
            who.add(threading.get_ident())
            time.sleep(0)

    share(work, helpers)
    return found, who


@pytest.mark.parametrize("helpers", [0, 1, 3])
def test_share__does_every_piece_once(helpers):
    for n in (0, 1, 2, 500):
        found, who = squares(n, helpers)
        assert found == [each * each for each in range(n)]
        assert len(who) <= helpers + 1


def test_share__lets_others_work_and_keeps_them():
    met = threading.Barrier(3, timeout=20)  # passes only if three threads are at it
    share(met.wait, 2)
    before = threading.active_count()
    for _ in range(50):
        squares(20, 2)
    assert threading.active_count() == before


def test_share__raises_what_any_thread_raised():
    met = threading.Barrier(2, timeout=20)
    caller = threading.get_ident()

    def work():
        met.wait()
        if threading.get_ident() != caller:
            raise KeyError("of a helper")

    with pytest.raises(KeyError, match="of a helper"):
        share(work, 1)
    with pytest.raises(ZeroDivisionError):
        share(lambda: 1 // 0, 2)
    assert squares(30, 2)[0][29] == 29 * 29


def test_share__waits_for_those_who_began_unless_all_is_done():
    caller, met, go = threading.get_ident(), threading.Barrier(2, timeout=20), threading.Event()
    ended = []

    def work(is_done):
        met.wait()
        if threading.get_ident() == caller:
            return is_done
        go.wait(0.2)
        ended.append(True)
        return None

    share(lambda: work(False), 1)
    assert ended == [True]
    share(lambda: work(True), 1)
    assert ended == [True]  # the helper is still at it
    go.set()


def test_share__sees_the_callers_context():
    met = threading.Barrier(2, timeout=20)
    seen = []

    def work():
        met.wait()
        seen.append(np.geterr()["divide"])

    with np.errstate(divide="raise"):
        share(work, 1)
    assert seen == ["raise", "raise"]


def test_share__inside_itself_and_of_several_callers():
    outer = iter(range(8))
    found = []

    def work():
        for _ in outer:
            found.append(sum(squares(40, 2)[0]))

    callers = [threading.Thread(target=share, args=(work, 2)) for _ in range(4)]
    for each in callers:
        each.start()
    for each in callers:
        each.join(30)
    assert found == [sum(each * each for each in range(40))] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_share__survives_a_fork():
    squares(50, 2)
    assert _threads._made > 0
    child = os.fork()
    if child == 0:
        # Nothing of pytest may run here.
        good = False
        try:
            met = threading.Barrier(2, timeout=20)
            share(met.wait, 1)
            good = squares(50, 2)[0] == [each * each for each in range(50)]
        finally:
            os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert squares(50, 2)[0][49] == 49 * 49


def test_share__lets_the_program_end():
    code = """
        import threading, numpy as np, fastbt.indicators as ta
        from fastbt.indicators._threads import share
        share(threading.Barrier(3, timeout=20).wait, 2)
        print("end")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=100, check=True
    )
    assert (done.stdout, done.stderr) == ("end\n", "")


@pytest.mark.parametrize("name", ["ema", "sma", "adx", "stochf"])
def test_series__has_the_same_bits_with_any_number_of_threads(name):
    candles = np.tile(MARKETS["wild"], (12, 1))
    key = {"stochf": "fastk_period"}.get(name, "period")
    # Sources that take turns, so that rows of the same source are no neighbours.
    sources = itertools.cycle(["close", "hl2"] if ta.get(name).source else ["close"])
    table = [
        {key: 3 + j} | ({"source_type": s} if s != "close" else {}) for j, s in zip(range(23), sources, strict=False)
    ]
    expected, places = ta.series(name, candles, table, sequential=True, threads=1)
    for threads in (2, 3, 8):
        for _ in range(5):
            values, _ = ta.series(name, candles, table, sequential=True, threads=threads)
            assert values.tobytes() == expected.tobytes()
    alone = ta.get(name).function(candles, **table[5], sequential=True)
    first = alone if ta.get(name).record is None else alone[0]
    np.testing.assert_array_equal(expected[places[5], 0], first)


def test_series__serves_callers_in_several_threads():
    x = np.tile(MARKETS["wild"][:, CLOSE], 12)
    table = [{"period": period} for period in range(3, 15)]
    expected, _ = ta.series("ema", x, table, sequential=True, threads=1)
    wrong = []

    def work():
        for _ in range(20):
            values, _ = ta.series("ema", x, table, sequential=True, threads=3)
            if values.tobytes() != expected.tobytes():
                wrong.append(True)

    callers = [threading.Thread(target=work) for _ in range(3)]
    for each in callers:
        each.start()
    for each in callers:
        each.join(60)
    assert not wrong
