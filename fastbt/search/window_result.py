"""What becomes of one window of a walk-forward."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastbt.search.requests import Number, Schema
from fastbt.search.statistics import Estimate
from fastbt.types import DAY_MS, Float1D, JsonDict


class Part(Schema):
    """One run of a window: in-sample or out-of-sample.

    Attributes
    ----------
    start, finish : int
        ms UTC.
    metrics : dict
        Jesse's.
    times : list of int
        Of the balance, ms UTC: the start, once a day, the end.
    balance : list of float
        Of the account, which begins anew in each part.
    longest_holding : float
        Seconds.
    """

    start: int
    finish: int
    metrics: JsonDict
    times: list[int]
    balance: list[float]
    longest_holding: float = 0.0

    @property
    def returns(self) -> Float1D:
        """Changes of the balance from sample to sample, as fractions."""
        balance = np.array(self.balance)
        changes: Float1D = balance[1:] / balance[:-1] - 1.0
        return changes

    @property
    def days(self) -> float:
        """Length."""
        return (self.finish - self.start) / DAY_MS

    @property
    def growth_a_year(self) -> float:
        """What the logarithm of the balance gains in 365 days."""
        if not self.balance or self.balance[-1] <= 0:
            return math.nan
        return math.log(self.balance[-1] / self.balance[0]) * 365 / self.days


class WindowResult(Schema):
    """One window: what was best in-sample, and what became of it.

    Attributes
    ----------
    number : int
    status : str
        "ok", or why there is no set to test: "no set: ...".
    start, finish, test_start, test_finish, live_finish : int
        See `Window`.
    params : dict
        All hyper-parameters that were chosen.
    in_sample_value, out_of_sample_value : float or None
        Of the (first) metric.
    counts : dict of int
        Trials that were complete, infeasible, failed, repeated.
    in_sample, out_of_sample : Part or None
    live : Part or None
        Until the next window takes over; None if that is the whole out-of-sample part.
    """

    number: int
    status: str
    start: int
    finish: int
    test_start: int
    test_finish: int
    live_finish: int
    params: JsonDict = {}
    in_sample_value: float | None = None
    out_of_sample_value: float | None = None
    counts: dict[str, int] = {}
    in_sample: Part | None = None
    out_of_sample: Part | None = None
    live: Part | None = None

    @property
    def ok(self) -> bool:
        """Whether a set was found and tested."""
        return self.out_of_sample is not None

    @property
    def traded(self) -> Part | None:
        """The part of the out-of-sample run that is stitched."""
        return self.live if self.live is not None else self.out_of_sample


class EstimateModel(Schema):
    """A mean, its confidence interval, and a one-sided p-value; see `fastbt.search.statistics`."""

    mean: Number
    low: Number
    high: Number
    p_value: Number
    n: int
    block: int

    @classmethod
    def of(cls, found: Estimate) -> EstimateModel:
        """Return the model of an estimate."""
        return cls(**vars(found))


class Stability(Schema):
    """How a hyper-parameter moves from window to window.

    Attributes
    ----------
    values : list
        In each window that has a set.
    changed : float
        Share of the windows in which it differs from the window before.
    spread : float or None
        Standard deviation, where 1 is that of random values of its range; None if it is categorical.
    mode_share : float
        Share of the most frequent value.
    """

    values: list[Any]
    changed: float
    spread: float | None
    mode_share: float
