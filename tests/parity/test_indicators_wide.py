"""Every indicator against the installed Jesse over real and made-up candles, with random valid arguments.

The default run takes a bounded slice; `pytest tests/parity/test_indicators_wide.py -m slow` goes on for minutes.
"""

import numpy as np
import pytest
from indicator_inputs import OF_CANDLES, inputs_of, markets, random_arguments, real, stops_jesse, unknown_markets
from indicator_table_tool import load_tool
from parity.indicator_harness import assert_same, call, fields_of

import fastbt.indicators as ta

pytestmark = pytest.mark.jesse

NAMES = sorted(name for name, each in ta.REGISTRY.items() if each.function.__module__.startswith("fastbt."))
WINDOWS = (240, 100, 37, 0, 500)
REAL = ("BTC-USD 1h", "ETH-USD 1h", "BTC-USD 15m", "ETH-USD 15m")
FEW = (1, 2, 3, 5, 8, 13, 30, 60)

#: Jesse's two forms look for the extreme in two ways, which differ where something is unknown; ours is one.
TWO_WAYS = {"donchian"}


#: With fewer rows than they need Jesse raises; here at least one field is unknown. docs/indicators.md tells them.
JESSE_RAISES = load_tool().JESSE_RAISES
#: These are known all the same: from what they count as 0, or because only one of their parts needs more rows.
KNOWN_EARLY = {"rvi", "squeeze_momentum", "ttm_trend", "vlma", "support_resistance_with_breaks"}


def forms(described):
    """The ways to ask for a result."""
    return ({"sequential": True}, {"sequential": False}) if "sequential" in described.signature.parameters else ({},)


def is_unknown(value):
    """Whether nothing is known of the last row: NaN, None, or no signal."""
    last = value[-1] if isinstance(value, np.ndarray | list) and len(value) else value
    return last is None or isinstance(last, list | np.ndarray) or last is False or last != last


def compare(jesse, jesse_window, name, arguments, candles, window, hint):
    """Ask both in every form; return how often Jesse answered."""
    described, answered = ta.get(name), 0
    for form in forms(described):
        visible = len(candles) if form.get("sequential", False) or window == 0 else min(window, len(candles))
        if stops_jesse(described, arguments, visible):
            continue
        jesse_window(window)
        told = f"{hint}, {len(candles)} rows, window {window}, {arguments}, {form}"
        refused = None
        try:
            expected = call(jesse, name, candles, **arguments, **form)
        except Exception as error:
            refused = error
        with ta.warm_up_window(window):
            if refused is None:
                answered += 1
                actual = call(ta, name, candles, **arguments, **form)
                if name == "mfi" and visible <= arguments.get("period", 14) and form.get("sequential"):
                    # Jesse's array is longer than the candles then.
                    actual, expected = actual[-1], expected[-1]
                assert_same(actual, expected, told)
                continue
            # Jesse says so outright for averages of candles, and only stumbles over too few rows.
            if "cannot be used" in str(refused) or "dimensionality mismatch" in str(refused):
                with pytest.raises(ValueError, match="as in Jesse"):
                    call(ta, name, candles, **arguments, **form)
                continue
            if "unsupported operand type(s) for /" in str(refused):
                with pytest.raises(ValueError, match="swma: period must be 2 or more, was 1"):
                    call(ta, name, candles, **arguments, **form)
                continue
            assert name in JESSE_RAISES, f"{told}: Jesse raises {refused!r}"
            actual = call(ta, name, candles, **arguments, **form)
            if name not in KNOWN_EARLY:
                assert any(is_unknown(each) for each in fields_of(actual)), f"{told}: Jesse raises {refused!r}"
    return answered


def walk_through(jesse, jesse_window, name, seed, rounds):
    """Compare over all kinds of candles: the default arguments first, then random ones."""
    described = ta.get(name)
    rng = np.random.default_rng([seed, *name.encode()])
    kinds = markets()
    others = [each for each in kinds if each not in REAL]
    answered = 0
    for i in range(rounds):
        market = REAL[i % 4] if i % 2 == 0 else str(rng.choice(others))
        rows = int(rng.integers(150, 700))
        end = int(rng.integers(rows, len(kinds[market]) + 1))
        arguments = {} if i < 2 and seed == 0 else random_arguments(described, rng)
        window = int(rng.choice(WINDOWS))
        answered += compare(jesse, jesse_window, name, arguments, kinds[market][end - rows : end], window, market)
    return answered


def few_rows(jesse, jesse_window, name, seed, rounds):
    """Compare where there are fewer rows than the indicator needs."""
    described = ta.get(name)
    rng = np.random.default_rng([1, seed, *name.encode()])
    kinds = markets()
    for i in range(rounds):
        market = str(rng.choice(list(kinds)))
        rows = int(rng.choice(FEW))
        arguments = {} if i == 0 else random_arguments(described, rng)
        compare(jesse, jesse_window, name, arguments, kinds[market][:rows], int(rng.choice(WINDOWS)), market)


def unknown_values(jesse, jesse_window, name, seed, rounds):
    """Compare where prices or volumes are NaN, and where a series of its own begins with NaN or has a gap."""
    described = ta.get(name)
    rng = np.random.default_rng([2, seed, *name.encode()])
    kinds = unknown_markets()
    for i in range(rounds):
        market = list(kinds)[i % len(kinds)]
        rows = int(rng.integers(450, 700))
        arguments = random_arguments(described, rng)
        window = 0 if name in TWO_WAYS else int(rng.choice(WINDOWS))
        candles = kinds[market][:rows] if market != "last price unknown" else kinds[market][-rows:]
        if name not in TWO_WAYS:
            compare(jesse, jesse_window, name, arguments, candles, window, market)
        if not described.accepts_1d or arguments.get("matype") in OF_CANDLES:
            continue
        series = candles[:, 2].copy()
        arguments = {key: value for key, value in arguments.items() if key != "source_type"}
        jesse_window(window)
        for form in forms(described):
            if stops_jesse(described, arguments, rows) or stops_jesse(described, arguments, window):
                continue
            try:
                expected = call(jesse, name, series, **arguments, **form)
            except Exception:
                continue
            with ta.warm_up_window(window):
                assert_same(call(ta, name, series, **arguments, **form), expected, f"{market}, {arguments}, {form}")


def at_some_bars(jesse, jesse_window, name, arguments, market, rows, bars):
    """Compare the series that a backtest sees with Jesse's call at some of its bars."""
    described = ta.get(name)
    candles = real(*market.split())[:rows]
    pair = inputs_of(described, candles)
    with np.errstate(all="ignore"):
        values, _ = ta.series(name, pair if len(pair) > 1 else candles, [arguments], window=240)
    jesse_window(240)
    compared = 0
    for bar in bars:
        seen = [each[: bar + 1] for each in pair]
        try:
            theirs = fields_of(call(jesse, name, seen, **arguments, **forms(described)[-1]))
        except Exception:
            assert name in JESSE_RAISES
            continue
        compared += 1
        for mine, value in zip(values[0, :, bar], theirs, strict=True):
            if isinstance(value, str):
                assert mine == {"buy": 1.0, "sell": 0.0}[value]
                continue
            np.testing.assert_array_equal(mine, np.nan if value is None else float(value), err_msg=f"{market} {bar}")
    assert compared >= len(bars) // 2


@pytest.mark.parametrize("name", NAMES)
def test_random_arguments__agree(jesse, jesse_window, name):
    assert walk_through(jesse, jesse_window, name, seed=0, rounds=8) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_few_rows__agree_or_are_unknown(jesse, jesse_window, name):
    few_rows(jesse, jesse_window, name, seed=0, rounds=5)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_values__agree(jesse, jesse_window, name):
    unknown_values(jesse, jesse_window, name, seed=0, rounds=4)


@pytest.mark.parametrize("name", NAMES)
def test_series__is_jesses_at_any_bar(jesse, jesse_window, name):
    at_some_bars(jesse, jesse_window, name, {}, "BTC-USD 1h", 1000, (60, 239, 240, 700, 999))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_everything__agrees_for_long(jesse, jesse_window, name):
    for seed in range(1, 6):
        walk_through(jesse, jesse_window, name, seed, rounds=40)
        few_rows(jesse, jesse_window, name, seed, rounds=20)
        unknown_values(jesse, jesse_window, name, seed, rounds=8)
    rng = np.random.default_rng([3, *name.encode()])
    for market in REAL:
        bars = sorted(int(each) for each in rng.integers(0, 2500, 25))
        at_some_bars(jesse, jesse_window, name, {}, market, 2500, bars)
        if "sequential" in ta.get(name).signature.parameters and name not in ("smma", "gatorosc"):
            # rsmk makes a table of all rows by all rows.
            candles = real(*market.split())[: 2000 if name == "rsmk" else None]
            expected = call(jesse, name, candles, sequential=True)
            assert_same(call(ta, name, candles, sequential=True), expected, f"all of {market}")
