"""Candles of every kind and random valid arguments: what the wide comparison with Jesse runs over."""

from functools import cache
from typing import Any

import numpy as np
from indicator_cases import walk

from fastbt.data import CandleSet
from fastbt.indicators import Indicator
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME

#: Jesse's codes of moving averages. It has no 7, 8 and 19.
MATYPES = tuple(code for code in range(40) if code not in (7, 8, 19))

#: Those that need more than one series.
OF_CANDLES = (24, 29)

SOURCES = ("close", "high", "low", "open", "volume", "hl2", "hlc3", "ohlc4")

#: Arguments that are no whole periods, and where they make sense.
RANGES = {
    "acceleration": (0.005, 0.1),
    "alpha": (0.02, 0.9),
    "bandwidth": (0.05, 0.9),
    "bandwith": (0.05, 0.9),
    "delta": (0.1, 0.9),
    "distribution_offset": (0.05, 0.95),
    "factor": (0.05, 0.95),
    "fastlimit": (0.2, 0.9),
    "fraction": (0.02, 0.5),
    "maximum": (0.1, 0.5),
    "na": (0.05, 0.9),
    "nb": (0.02, 0.5),
    "nc": (0.02, 0.5),
    "oslevel": (-90, -10),
    "phase": (-160.0, 160.0),
    "slowlimit": (0.01, 0.2),
    "vfactor": (0.0, 1.0),
}


@cache
def real(symbol: str, timeframe: str) -> np.ndarray:
    """The bundled candles of the first half of 2019."""
    candles = CandleSet.load(symbol).between("2019-01-01", "2019-07-01").fill_gaps()
    return candles.resample(timeframe)


def _changed(candles: np.ndarray, **columns: Any) -> np.ndarray:
    out = candles.copy()
    for name, (rows, value) in columns.items():
        out[rows, {"open": OPEN, "close": CLOSE, "high": HIGH, "low": LOW, "volume": VOLUME}[name]] = value
    return out


@cache
def markets() -> dict[str, np.ndarray]:
    """Return every kind of candles by name."""
    base = walk(700, 11, 0.01)
    some = slice(200, 330)
    everything = slice(None)
    still = np.tile([0.0, 7.25, 7.25, 7.25, 7.25, 3.0], (700, 1))
    still[:, 0] = base[:, 0]
    stops = base.copy()
    stops[some, 1:5] = stops[200, CLOSE]
    return {
        **{f"{symbol} {each}": real(symbol, each) for symbol in ("BTC-USD", "ETH-USD") for each in ("1h", "15m")},
        "calm": walk(700, 5, 0.001),
        "wild": walk(700, 6, 0.08),
        "often still": walk(700, 7, 0.01, 0.7, 1),
        "cheap": walk(700, 8, 0.02, decimals=7) * np.array([1.0, 1e-6, 1e-6, 1e-6, 1e-6, 1e6]),
        "never moves": still,
        "stops moving": stops,
        "no volume": _changed(base, volume=(everything, 0.0)),
        "no volume for a time": _changed(base, volume=(some, 0.0)),
    }


def unknown_markets() -> dict[str, np.ndarray]:
    """Candles in which something is NaN."""
    base = walk(700, 12, 0.01)
    nan = np.nan
    lead, hole = slice(0, 5), slice(400, 403)
    prices = ("open", "close", "high", "low")
    return {
        "prices unknown at first": _changed(base, **dict.fromkeys(prices, (lead, nan))),
        "prices unknown once": _changed(base, **dict.fromkeys(prices, (hole, nan))),
        "volume unknown once": _changed(base, volume=(hole, nan)),
        "last price unknown": _changed(base, **dict.fromkeys(prices, (slice(-1, None), nan))),
    }


def random_arguments(described: Indicator, rng: np.random.Generator) -> dict[str, Any]:
    """Return arguments that make sense to Jesse, each left at its default now and then."""
    chosen: dict[str, Any] = {}
    longest = int(rng.choice((12, 40, 130)))
    for name, parameter in described.signature.parameters.items():
        if name == "sequential" or rng.random() < 0.15:
            continue
        default = parameter.default
        if name == "min_chunksize":
            chosen[name] = int(rng.integers(2, 12))
        elif name == "source_type":
            chosen[name] = str(rng.choice(SOURCES))
        elif name.endswith("matype"):
            chosen[name] = int(rng.choice(MATYPES))
        elif name in described.allowed:
            chosen[name] = int(rng.choice(sorted(described.allowed[name])))
        elif name in described.codes:
            chosen[name] = str(rng.choice([each or "whatever" for each in described.codes[name]]))
        elif parameter.annotation == "bool":
            chosen[name] = bool(rng.random() < 0.5)
        elif name in RANGES:
            low, high = RANGES[name]
            value = rng.uniform(low, high)
            chosen[name] = int(value) if parameter.annotation == "int" else float(np.round(value, 3))
        elif parameter.annotation == "int":
            least = described.least.get(name, min(1, default))
            chosen[name] = int(rng.integers(least, longest))
        else:
            chosen[name] = float(np.round((default or 1.0) * rng.uniform(0.3, 2.5), 3))
    if "max_chunksize" in chosen:
        chosen["max_chunksize"] += chosen.get("min_chunksize", 8)
    return chosen


def inputs_of(described: Indicator, candles: np.ndarray) -> tuple[np.ndarray, ...]:
    """The arrays that the public function of an indicator takes before its arguments."""
    return (candles, walk(len(candles), 4, 0.02)) if described.second_candles else (candles,)


def stops_jesse(described: Indicator, arguments: dict[str, Any], rows: int) -> bool:
    """Whether Jesse's machine code ends the whole process for these arguments and as many visible rows."""
    given = {each.name: each.default for each in described.signature.parameters.values()} | arguments
    periods = [value for value in given.values() if type(value) is int]
    averages = [value for name, value in given.items() if name.endswith("matype")]
    if described.name == "edcf" or 31 in averages:
        return any(rows == 2 * period for period in periods)
    if described.name == "cg":
        return rows == given["period"] + 1
    if described.name == "chop":
        return given["drift"] > rows
    if described.name == "ichimoku_cloud":
        return given["displacement"] > 81
    return described.name == "sar" and rows < 2
