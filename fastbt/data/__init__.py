"""Candles in: load, check, fill, resample, warm up, and the bundled sample.

The names are loaded when they are first used: ``import fastbt.data`` is cheap, and numba is imported only when a kernel
runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastbt.data.candles import CandleSet
    from fastbt.data.check import check_candles
    from fastbt.data.gaps import Gap, fill_gaps, gap_report
    from fastbt.data.resampling import resample
    from fastbt.data.samples import sample_names
    from fastbt.data.times import iso, timeframe_minutes, to_ms
    from fastbt.data.warmup import check_same_range, split_warmup, warmup_bars

__all__ = [
    "CandleSet",
    "Gap",
    "check_candles",
    "check_same_range",
    "fill_gaps",
    "gap_report",
    "iso",
    "resample",
    "sample_names",
    "split_warmup",
    "timeframe_minutes",
    "to_ms",
    "warmup_bars",
]

_HOME = {
    "CandleSet": "candles",
    "Gap": "gaps",
    "check_candles": "check",
    "check_same_range": "warmup",
    "fill_gaps": "gaps",
    "gap_report": "gaps",
    "iso": "times",
    "resample": "resampling",
    "sample_names": "samples",
    "split_warmup": "warmup",
    "timeframe_minutes": "times",
    "to_ms": "times",
    "warmup_bars": "warmup",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
