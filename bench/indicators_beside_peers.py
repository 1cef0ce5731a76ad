"""Time every indicator beside Jesse, TA-Lib and pandas-ta-classic, each where it has the same one, on one core.

::

    python bench/indicators_beside_peers.py                    # a table, and how many are twice as fast
    python bench/indicators_beside_peers.py --rows 35040 rsi adx
    python bench/indicators_beside_peers.py --json > indicators.json

Each library computes one whole series a call, with its own public function, from memory laid out as its users have
it: candles as one array for fastbt and Jesse, contiguous columns for TA-Lib, Series for pandas-ta-classic. They take
turns on one core, and the median of each one's processor time counts. The last column is the windowed form: at each bar
the value of the last 240 rows alone, which is what Jesse's non-sequential call returns; none of the others has it.

Jesse is imported in a temporary folder. TA-Lib and pandas-ta-classic are left out where they are not installed:
`uv pip install TA-Lib pandas-ta-classic`.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import fastbt.indicators as ta
from fastbt.data import CandleSet
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME

#: (function, inputs): the order of the inputs is TA-Lib's; arguments are its own defaults or the same as ours by name.
TALIB: dict[str, tuple[str, str]] = {
    "ad": ("AD", "hlcv"),
    "adosc": ("ADOSC", "hlcv"),
    "adx": ("ADX", "hlc"),
    "adxr": ("ADXR", "hlc"),
    "apo": ("APO", "c"),
    "aroon": ("AROON", "hl"),
    "aroonosc": ("AROONOSC", "hl"),
    "atr": ("ATR", "hlc"),
    "avgprice": ("AVGPRICE", "ohlc"),
    "beta": ("BETA", "cc"),
    "bollinger_bands": ("BBANDS", "c"),
    "bop": ("BOP", "ohlc"),
    "cci": ("CCI", "hlc"),
    "cmo": ("CMO", "c"),
    "correl": ("CORREL", "hl"),
    "dema": ("DEMA", "c"),
    "ema": ("EMA", "c"),
    "kama": ("KAMA", "c"),
    "linearreg": ("LINEARREG", "c"),
    "linearreg_angle": ("LINEARREG_ANGLE", "c"),
    "linearreg_intercept": ("LINEARREG_INTERCEPT", "c"),
    "linearreg_slope": ("LINEARREG_SLOPE", "c"),
    "ma": ("MA", "c"),
    "macd": ("MACD", "c"),
    "mama": ("MAMA", "c"),
    "medprice": ("MEDPRICE", "hl"),
    "mfi": ("MFI", "hlcv"),
    "midpoint": ("MIDPOINT", "c"),
    "midprice": ("MIDPRICE", "hl"),
    "mom": ("MOM", "c"),
    "natr": ("NATR", "hlc"),
    "obv": ("OBV", "cv"),
    "ppo": ("PPO", "c"),
    "roc": ("ROC", "c"),
    "rocp": ("ROCP", "c"),
    "rocr": ("ROCR", "c"),
    "rocr100": ("ROCR100", "c"),
    "rsi": ("RSI", "c"),
    "sar": ("SAR", "hl"),
    "sma": ("SMA", "c"),
    "stddev": ("STDDEV", "c"),
    "stoch": ("STOCH", "hlc"),
    "stochf": ("STOCHF", "hlc"),
    "srsi": ("STOCHRSI", "c"),
    "t3": ("T3", "c"),
    "tema": ("TEMA", "c"),
    "trange": ("TRANGE", "hlc"),
    "trima": ("TRIMA", "c"),
    "trix": ("TRIX", "c"),
    "tsf": ("TSF", "c"),
    "typprice": ("TYPPRICE", "hlc"),
    "ultosc": ("ULTOSC", "hlc"),
    "var": ("VAR", "c"),
    "wclprice": ("WCLPRICE", "hlc"),
    "willr": ("WILLR", "hlc"),
    "wma": ("WMA", "c"),
}

#: Other names in pandas-ta-classic.
PANDAS_TA = {
    "bollinger_bands": "bbands",
    "cc": "coppock",
    "heikin_ashi_candles": "ha",
    "ichimoku_cloud_seq": "ichimoku",
    "keltner": "kc",
    "linearreg": "linreg",
    "linearreg_slope": "slope",
    "mass": "massi",
    "mcginley_dynamic": "mcgd",
    "sar": "psar",
    "srsi": "stochrsi",
    "squeeze_momentum": "squeeze",
    "stddev": "stdev",
    "supersmoother": "ssf",
    "trange": "true_range",
    "ultosc": "uo",
    "var": "variance",
    "vi": "vortex",
    "vpt": "pvt",
    "wclprice": "wcp",
    "zlema": "zlma",
}

#: Functions of the same name that are something else there.
DIFFERENT = {"volume", "ma", "chande", "pivot", "kvo", "rvi", "wt", "gauss", "high_pass", "minmax", "beta", "cg"}

_COLUMNS = {"o": OPEN, "h": HIGH, "l": LOW, "c": CLOSE, "v": VOLUME}
_SERIES = {"open_": OPEN, "open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE, "volume": VOLUME}


def talib_call(name: str, candles: Any) -> Callable[[], Any] | None:
    """Return TA-Lib's call, or None if it has none or is not installed."""
    try:
        library = importlib.import_module("talib")
    except ImportError:
        return None
    if name not in TALIB:
        return None
    function, inputs = TALIB[name]
    columns = [np.ascontiguousarray(candles[:, _COLUMNS[each]]) for each in inputs]
    target = getattr(library, function)
    defaults = {each.name: each.default for each in ta.get(name).signature.parameters.values()}
    period = defaults.get("period", defaults.get("length"))
    arguments = {"timeperiod": period} if period is not None and "timeperiod=" in target.__doc__ else {}
    return lambda: target(*columns, **arguments)


def pandas_ta_call(name: str, candles: Any) -> Callable[[], Any] | None:
    """Return pandas-ta-classic's call, or None if it has none or is not installed."""
    try:
        library = importlib.import_module("pandas_ta_classic")
        pandas = importlib.import_module("pandas")
    except ImportError:
        return None
    target = getattr(library, PANDAS_TA.get(name, name), None)
    if name in DIFFERENT or not callable(target):
        return None
    index = pandas.to_datetime(candles[:, 0], unit="ms")
    parameters = inspect.signature(target).parameters
    series = {
        key: pandas.Series(candles[:, column].copy(), index=index)
        for key, column in _SERIES.items()
        if key in parameters and parameters[key].default is inspect.Parameter.empty
    }
    defaults = {each.name: each.default for each in ta.get(name).signature.parameters.values()}
    period = defaults.get("period", defaults.get("length"))
    arguments = {"length": period} if period is not None and "length" in parameters else {}
    call = lambda: target(**series, **arguments)  # noqa: E731
    try:
        return call if call() is not None else None
    except Exception:
        return None


def import_jesse() -> Any:
    """Return Jesse's indicators, imported where it may leave its folders, or None if it is not installed."""
    folder, before = tempfile.mkdtemp(prefix="jesse-"), os.getcwd()
    os.environ.setdefault("JESSE_CACHE_DIR", folder)
    os.chdir(folder)
    try:
        return importlib.import_module("jesse.indicators")
    except ImportError:
        return None
    finally:
        os.chdir(before)


def time_of(call: Callable[[], Any], calls: int) -> float:
    """Return the seconds of processor time of one call, over as many: other processes do not count."""
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls


def measure(calls: dict[str, Callable[[], Any]], rounds: int, budget: float) -> dict[str, float]:
    """Return the median of each call in seconds; they take turns. What takes long is called once."""
    count, times = {}, {}
    for name, call in calls.items():
        once = time_of(call, 1)
        # The first call compiles.
        if once < 10.0:
            once = min(time_of(call, 1) for _ in range(3 if once < 0.1 else 1))
        times[name] = [once]
        count[name] = min(200, int(budget / rounds / max(once, 1e-7)))
    for _ in range(rounds):
        for name, call in calls.items():
            if count[name] > 0:
                times[name].append(time_of(call, count[name]))
    return {name: statistics.median(each) for name, each in times.items()}


def row_of(name: str, candles: Any, jesse: Any, rounds: int, budget: float) -> dict[str, Any]:
    """Time one indicator in every library that has it."""
    described = ta.get(name)
    pair = (candles, candles[::-1].copy()) if described.second_candles else (candles,)
    form = {"sequential": True} if "sequential" in described.signature.parameters else {}
    calls = {"fastbt": lambda: described.function(*pair, **form)}
    if jesse is not None:
        theirs = getattr(jesse, name)
        calls["jesse"] = lambda: theirs(*pair, **form)
    for label, found in (("talib", talib_call(name, candles)), ("pandas_ta", pandas_ta_call(name, candles))):
        if found is not None:
            calls[label] = found
    source_type, params, _ = described.encode()
    data = described.arranged(described.select(np.hstack(pair), source_type, params), params)
    out = np.empty((len(described.fields), len(data)))
    calls["windowed"] = lambda: ta.compute(described, data, params, sequential=False, window=240, out=out)
    times = measure(calls, rounds, budget)
    peers = [times[each] for each in ("jesse", "talib", "pandas_ta") if each in times]
    return {"name": name, **times, "ratio": min(peers) / times["fastbt"] if peers else None}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="indicators; all if left out")
    parser.add_argument("--rows", type=int, default=8_760, help="candles of 1h: a year")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="spent on each library and indicator")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    candles = CandleSet.load("BTC-USD").fill_gaps().resample("1h")[: given.rows].copy()
    jesse = import_jesse()
    rows = []
    for name in given.names or sorted(dict(ta.REGISTRY)):
        rows.append(row_of(name, candles, jesse, given.rounds, given.seconds))
        print(f"\r{len(rows)}: {name:<40}", end="", file=sys.stderr, flush=True)
    if given.json:
        print(json.dumps({"rows": len(candles), "indicators": rows}, indent=1))
        return
    labels = ("fastbt", "jesse", "talib", "pandas_ta", "windowed")
    print(f"{len(candles)} bars, microseconds a series\n")
    print("".join(f"{each:>12}" for each in ("ratio", *labels)) + "  name")
    for row in sorted(rows, key=lambda each: each["ratio"] or 0.0):
        cells = [f"{row['ratio']:.2f}" if row["ratio"] else "-"]
        cells += [f"{row[each] * 1e6:,.1f}" if each in row else "-" for each in labels]
        print("".join(f"{each:>12}" for each in cells) + f"  {row['name']}")
    ratios = [row["ratio"] for row in rows if row["ratio"]]
    if ratios:
        fast = sum(each >= 2.0 for each in ratios)
        middle = statistics.median(ratios)
        print(f"\nmedian ratio to the fastest other {middle:.2f}; {fast} of {len(ratios)} at least 2")


if __name__ == "__main__":
    main()
