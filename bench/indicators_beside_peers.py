"""Time every indicator beside Jesse, TA-Lib and pandas-ta-classic, each where it has the same one, on one core.

::

    python bench/indicators_beside_peers.py                    # a table, and how many are twice as fast
    python bench/indicators_beside_peers.py --lists 16         # per series of a table of 16 argument lists
    python bench/indicators_beside_peers.py --lists 16 --threads 2
    python bench/indicators_beside_peers.py --rows 35040 rsi adx
    python bench/indicators_beside_peers.py --lists 16 --skip rsmk             # which takes minutes
    python bench/indicators_beside_peers.py --json > bench/indicator_costs.json   # what docs/indicators.md shows

Each library computes one whole series a call, with its own public function, from memory laid out as its users have
it: candles as one array for fastbt and Jesse, contiguous columns for TA-Lib, Series for pandas-ta-classic. They take
turns on one core, and the median of each one's processor time counts. The last column is the windowed form: at each bar
the value of the last 240 rows alone, which is what Jesse's non-sequential call returns; none of the others has it.

With `--lists` fastbt computes that many series by one call of `series`, into memory that is used again, as its sweeps
do; the others have nothing of the kind and are called once for each list. The lists are the default's whole numbers
scaled up; what has none (`obv`) is left out. With `--threads` above 1 it is elapsed time that counts instead of
processor time, and the others still run on one core, as their functions do.

Functions of Jesse that have no `sequential` argument return the last value only, which is no whole series: they are not
compared, and the table names them. What the libraries print (Jesse's `frama` does) goes nowhere.

Jesse is imported in a temporary folder. TA-Lib and pandas-ta-classic are left out where they are not installed:
`uv pip install TA-Lib pandas-ta-classic`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import json
import os
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
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


#: What our arguments are called in TA-Lib.
_IN_TALIB = {
    "period": "timeperiod",
    "length": "timeperiod",
    "fast_period": "fastperiod",
    "slow_period": "slowperiod",
    "signal_period": "signalperiod",
    "fastk_period": "fastk_period",
    "fastd_period": "fastd_period",
    "slowk_period": "slowk_period",
    "slowd_period": "slowd_period",
}

#: Whole numbers that are no number of rows.
_NO_PERIODS = ("threshold", "scalar", "drift", "offset", "mult", "k", "power")


def lists_of(name: str, n: int) -> list[dict[str, int]]:
    """Return `n` argument lists, the default one first; none if there is no period to vary."""
    described = ta.get(name)
    periods = {
        each.name: each.default
        for each in described.signature.parameters.values()
        if each.annotation == "int" and each.default >= 2 and each.name not in (*_NO_PERIODS, *described.allowed)
    }
    if not periods:
        return []
    return [{key: max(value + j, round(value * (1 + j / 8))) for key, value in periods.items()} for j in range(n)]


def talib_call(name: str, candles: Any, lists: list[dict[str, int]]) -> Callable[[], Any] | None:
    """Return TA-Lib's calls, or None if it has none or is not installed."""
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
    theirs = [
        {
            _IN_TALIB[key]: value
            for key, value in {**defaults, **each}.items()
            if key in _IN_TALIB and f"{_IN_TALIB[key]}=" in target.__doc__
        }
        for each in lists
    ]
    return lambda: [target(*columns, **each) for each in theirs]


def pandas_ta_call(name: str, candles: Any, lists: list[dict[str, int]]) -> Callable[[], Any] | None:
    """Return pandas-ta-classic's calls, or None if it has none or is not installed."""
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
    theirs = []
    for each in lists:
        known = {**defaults, **each}
        period = known.get("period", known.get("length"))
        theirs.append({"length": period} if period is not None and "length" in parameters else {})
    call = lambda: [target(**series, **each) for each in theirs]  # noqa: E731
    try:
        return call if call()[0] is not None else None
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


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Send what is printed nowhere, also by compiled code."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def time_of(call: Callable[[], Any], calls: int, clock: Callable[[], float] = time.process_time) -> float:
    """Return the seconds of one call, over as many; of processor time, since other processes do not count."""
    start = clock()
    for _ in range(calls):
        call()
    return (clock() - start) / calls


def measure(
    calls: dict[str, Callable[[], Any]], rounds: int, budget: float, clock: Callable[[], float]
) -> dict[str, float]:
    """Return the median of each call in seconds; they take turns. What takes long is called once."""
    count, times = {}, {}
    for name, call in calls.items():
        once = time_of(call, 1, clock)
        # The first call compiles.
        if once < 10.0:
            once = min(time_of(call, 1, clock) for _ in range(3 if once < 0.1 else 1))
        times[name] = [once]
        count[name] = min(200, int(budget / rounds / max(once, 1e-7)))
    for _ in range(rounds):
        for name, call in calls.items():
            if count[name] > 0:
                times[name].append(time_of(call, count[name], clock))
    return {name: statistics.median(each) for name, each in times.items()}


def is_sequential(function: Any) -> bool:
    """Tell whether a function of Jesse returns whole series if asked to."""
    return function is not None and "sequential" in inspect.signature(function).parameters


def row_of(name: str, candles: Any, jesse: Any, given: argparse.Namespace) -> dict[str, Any] | None:
    """Time one indicator in every library that has it: seconds a series."""
    described = ta.get(name)
    lists = lists_of(name, given.lists) if given.lists else [{}]
    if not lists:
        return None
    pair = (candles, candles[::-1].copy()) if described.second_candles else (candles,)
    form = {"sequential": True} if "sequential" in described.signature.parameters else {}
    room = np.empty((len(lists), len(described.fields), len(candles)))
    of = pair if described.second_candles else candles
    calls: dict[str, Callable[[], Any]] = {"fastbt": lambda: described.function(*pair, **form)}
    if given.lists:
        calls = {"fastbt": lambda: ta.series(name, of, lists, sequential=True, threads=given.threads, out=room)}
    theirs = getattr(jesse, name, None)
    if is_sequential(theirs):
        calls["jesse"] = lambda: [theirs(*pair, **each, **form) for each in lists]
    others = (("talib", talib_call(name, candles, lists)), ("pandas_ta", pandas_ta_call(name, candles, lists)))
    calls |= {label: found for label, found in others if found is not None}
    if not given.lists:
        calls["windowed"] = lambda: ta.series(name, of, lists, window=240, threads=1, out=room)
    clock = time.process_time if given.threads == 1 else time.perf_counter
    times = {key: value / len(lists) for key, value in measure(calls, given.rounds, given.seconds, clock).items()}
    peers = [times[each] for each in ("jesse", "talib", "pandas_ta") if each in times]
    return {"name": name, **times, "ratio": min(peers) / times["fastbt"] if peers else None}


def environment() -> dict[str, Any]:
    """Return the processor and the versions."""
    processor = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    versions = {"python": platform.python_version()}
    for each in ("numba", "numpy", "jesse", "TA-Lib", "pandas-ta-classic"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[each] = metadata.version(each)
    return {"processor": processor or platform.processor(), "versions": versions}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="indicators; all if left out")
    parser.add_argument("--skip", nargs="+", default=[], metavar="NAME", help="indicators that are left out")
    parser.add_argument("--rows", type=int, default=8_760, help="candles of 1h: a year")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="spent on each library and indicator")
    parser.add_argument("--lists", type=int, default=0, help="argument lists in one call; 0 for the default's one call")
    parser.add_argument("--threads", type=int, default=1, help="of fastbt, with --lists")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    candles = CandleSet.load("BTC-USD").fill_gaps().resample("1h")[: given.rows].copy()
    jesse = import_jesse()
    rows = []
    for name in sorted(set(given.names or ta.REGISTRY) - set(given.skip)):
        print(f"\r{len(rows)}: {name:<40}", end="", file=sys.stderr, flush=True)
        with silence():
            row = row_of(name, candles, jesse, given)
        if row is not None:
            rows.append(row)
    last_only = [
        row["name"] for row in rows if jesse is not None and not is_sequential(getattr(jesse, row["name"], None))
    ]
    if given.json:
        about = {"rows": len(candles), "lists": given.lists, "threads": given.threads, **environment()}
        about["not_compared"] = last_only
        print(json.dumps({**about, "indicators": rows}, indent=1))
        return
    labels = ("fastbt", "jesse", "talib", "pandas_ta", "windowed")
    form = f"{given.lists} series a call on {given.threads} cores" if given.lists else "one series a call, one core"
    print(f"{len(candles)} bars, {form}, microseconds a series\n")
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
    if last_only:
        print(f"not compared with Jesse, which returns the last value only: {', '.join(last_only)}")


if __name__ == "__main__":
    main()
