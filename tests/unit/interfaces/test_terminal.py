"""Progress, JSON and sentences."""

import contextlib
import io
import json
import math
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.errors import CandleWarning
from fastbt.interfaces import _terminal
from fastbt.interfaces._terminal import Progress, control_c, duration, plain, say, warnings_as_lines, write_json


def test_plain__leaves_only_what_json_knows(capsys):
    write_json(
        {
            "nan": math.nan,
            "inf": [-math.inf, np.float64("inf"), np.nan],
            "numbers": (np.int64(3), np.float64(0.5), np.bool_(True), 1e300),
            "array": np.array([[1.0, math.nan]]),
            3: None,
        }
    )
    assert json.loads(capsys.readouterr().out) == {
        "nan": None,
        "inf": [None, None, None],
        "numbers": [3, 0.5, True, 1e300],
        "array": [[1.0, None]],
        "3": None,
    }


@given(st.recursive(st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.tuples(inner)))
def test_plain__can_always_be_written(value):
    json.loads(json.dumps(plain(value), allow_nan=False))


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_duration__is_short_and_keeps_the_order_of_magnitude(a, b):
    units = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

    def seconds(text):
        words = text.replace(",", "").split()
        return sum(float(n) * units[unit] for n, unit in zip(words[::2], words[1::2], strict=True))

    text = duration(a)
    assert len(text) <= 13
    assert seconds(text) == pytest.approx(a, rel=0.06, abs=1e-4)
    if seconds(duration(a)) < seconds(duration(b)):
        assert a < b


def test_duration__of_nothing_known():
    assert duration(math.nan) == duration(math.inf) == "-"
    assert duration(59.99) == "1 min"
    assert duration(3599.7) == "1 h"
    assert duration(86399.0) == "1 d"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_say__breaks_lines_between_words_on_a_terminal_only(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    text = "Error: one two three four five six\n    source   line that is longer than twenty\n    ^^^"
    terminal, file = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    say(text)
    monkeypatch.setattr(sys, "stderr", file)
    say(text)
    assert file.getvalue() == text + "\n"
    assert terminal.getvalue() == (
        "Error: one two three\n  four five six\n    source   line that is longer than twenty\n    ^^^\n"
    )


def test_warnings_as_lines__shows_ours_as_a_line_and_leaves_others(capsys):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with warnings_as_lines():
            warnings.warn("a gap", CandleWarning, stacklevel=1)
            warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "Warning: a gap\n"
    assert [str(each.message) for each in caught] == ["old"]


def test_control_c__is_not_lost_where_llvm_calls_back():
    def _raw_object_cache_notify():
        # As ctypes treats its callbacks: what they raise is gone.
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.05)
        return "made"

    with pytest.raises(KeyboardInterrupt), control_c():
        assert _raw_object_cache_notify() == "made"
        time.sleep(5.0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_control_c__interrupts_at_once_elsewhere():
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt), control_c():
        signal.raise_signal(signal.SIGINT)
        time.sleep(5.0)
    assert time.perf_counter() - began < 5.0


def test_control_c__leaves_other_handlers_and_threads_alone():
    other = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with control_c():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, other)
    seen = []

    def run():
        with control_c():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_progress__prints_lines_every_few_seconds_without_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(_terminal, "LINE_EVERY_S", 0.05)
    with Progress("sets") as progress:
        progress.stage("Compiling")
        time.sleep(0.12)
        progress.count(0, 10, 0.0)
        time.sleep(0.07)
        progress.count(5, 10, 0.0)
        time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Compiling (0 s so far)"
    assert any(line.startswith("5 of 10 sets, ") and line.endswith(" left") for line in lines)
    assert 3 <= len(lines) <= 7


@pytest.mark.parametrize("shown", [False, True])
def test_progress__prints_nothing_if_it_is_quick_or_not_wanted(capsys, shown):
    with Progress("sets", shown=shown) as progress:
        progress.stage("Compiling")
        progress.count(5, 10, 0.0)
    assert capsys.readouterr() == ("", "")


def test_progress__tells_speed_and_time_left():
    progress = Progress("sets", shown=False)
    assert progress.rate() == ""
    progress.count(0, 100, 0.0)
    assert progress.rate() == ""
    progress._counted_from = time.perf_counter() - 2.0
    progress.count(50, 100, 2.0)
    assert progress.rate() == "25 sets/s, 2.0 s left"
    progress._counted_from = time.perf_counter() - 20.0
    assert progress.rate() == "2.5 sets/s, 20 s left"
    assert progress.line() == "50 of 100 sets, 2.5 sets/s, 20 s left"


def test_progress__is_a_bar_on_a_terminal_and_leaves_nothing_behind(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("sets") as progress:
        progress.stage("Compiling Some")
        time.sleep(0.25)
        progress.count(0, 1000, 0.0)
        time.sleep(0.25)
        progress.count(600, 1000, 0.25)
        time.sleep(0.25)
    told = terminal.getvalue()
    assert "Compiling Some" in told
    assert "600 of 1,000 sets" in told
    assert "sets/s" in told and "left" in told
    # The last thing is to erase the line.
    assert told.rstrip().endswith("\x1b[2K")
