"""How far `indicator_window="full"` is from Jesse: which series differ, how much, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbt.backtest import Session, series_of
from fastbt.data import iso
from fastbt.errors import SimulationError
from fastbt.types import TIMESTAMP, Float1D, JsonDict


@dataclass(frozen=True, slots=True)
class SeriesDifference:
    """One series over all candles, beside the same as Jesse has it.

    Attributes
    ----------
    series : str
        The call, as the strategy may write it, and the field where there are several.
    largest : float
        Largest relative difference, |full - exact| / max(|full|, |exact|), in any set; infinite where only one of the
        two is known.
    hyperparameters : mapping
        Of the set with that difference.
    bar, time : int
        The first traded bar of that set at which anything differs, counted from 0, and its opening time, ms UTC.
    n_bars, n_different : int
        Traded bars of that set, and at how many of them the values differ.
    """

    series: str
    largest: float
    hyperparameters: Mapping[str, Any]
    bar: int
    time: int
    n_bars: int
    n_different: int

    def __str__(self) -> str:
        """Say it in one line."""
        largest = "known on one side only" if np.isinf(self.largest) else f"by up to {self.largest:.1e} of its value"
        where = f"at {self.n_different:,} of {self.n_bars:,} bars, first at bar {self.bar:,} ({iso(self.time)})"
        return f"{self.series}: {largest}, {where}"

    def to_dict(self) -> JsonDict:
        """Return it for JSON, which has no infinity."""
        return {
            "series": self.series,
            "largest": None if np.isinf(self.largest) else self.largest,
            "hyperparameters": dict(self.hyperparameters),
            "bar": self.bar,
            "time": self.time,
            "n_bars": self.n_bars,
            "n_different": self.n_different,
        }


def relative_difference(full: Float1D, exact: Float1D) -> Float1D:
    """Return how far each value of one series is from that of the other; 0 where both are the same or unknown.

    Examples
    --------
    >>> import numpy as np
    >>> relative_difference(np.array([1.0, 2.0, np.nan, 4.0]), np.array([1.0, 4.0, np.nan, np.nan]))
    array([0. , 0.5, 0. , inf])
    """
    same = (full == exact) | (np.isnan(full) & np.isnan(exact))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Float1D = np.abs(full - exact) / np.maximum(np.abs(full), np.abs(exact))
    found[~np.isfinite(found)] = np.inf
    found[same] = 0.0
    return found


def full_differences(session: Session, sets: Iterable[Mapping[str, Any]]) -> list[SeriesDifference]:
    """Return the series that differ from Jesse's, the one that differs most first.

    Parameters
    ----------
    session : Session
        Of an account with `indicator_window="full"`.
    sets : iterable of mapping
        Hyper-parameters.
    """
    from fastbt.compiler.explain import series_labels
    from fastbt.compiler.sets import SetTable

    market = session.setup.market
    found: dict[str, SeriesDifference] = {}
    for hyperparameters in sets:
        hp = {**session.source.defaults, **hyperparameters}
        try:
            compiled, _ = session.runner_for(hp)
        except SimulationError:  # Such a run ends before it asks for anything.
            continue
        bindings = [compiled.make_binder(exact=exact)(SetTable.of([hp])) for exact in (False, True)]
        if any(binding.errors for binding in bindings):
            continue
        (full, at), (exact, where) = (
            (series_of(session.setup, binding), series_labels(compiled, binding)) for binding in bindings
        )
        for label, row in at.items():
            far = relative_difference(full[row], exact[where[label]])[market.warmup_bars :]
            known = found.get(label)
            if not far.any() or (known is not None and known.largest >= far.max()):
                continue
            bar = int(np.flatnonzero(far)[0])
            time = int(market.bars[market.warmup_bars + bar, TIMESTAMP])
            n_different = int(np.count_nonzero(far))
            found[label] = SeriesDifference(label, float(far.max()), dict(hp), bar, time, len(far), n_different)
    return sorted(found.values(), key=lambda each: -each.largest)
