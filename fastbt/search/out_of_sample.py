"""What the windows of a walk-forward say together: stitched, compared with in-sample, by age, by hyper-parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fastbt.search.statistics import Estimate, mean_above_zero, slope_with_age
from fastbt.search.window_result import Stability, WindowResult
from fastbt.sweep.space import Space
from fastbt.types import DAY_MS, Float1D, Int1D


def stitch(windows: Sequence[WindowResult], balance: float) -> tuple[list[int], list[float]]:
    """Return the equity of trading each window's set until the next window takes over.

    Parameters
    ----------
    windows : sequence of WindowResult
        In order of time.
    balance : float
        What it begins with.

    Returns
    -------
    times : list of int
        ms UTC.
    equity : list of float
    """
    times: list[int] = []
    equity: list[float] = []
    for each in windows:
        part = each.traded
        if part is None or len(part.times) < 2:
            # Nothing was traded: flat.
            ends = [each.test_start, each.live_finish]
            values = [1.0, 1.0]
        else:
            ends = part.times
            values = [value / part.balance[0] for value in part.balance]
        level = equity[-1] if equity else balance
        for i, (time, value) in enumerate(zip(ends, values, strict=True)):
            if i == 0 and times and time <= times[-1]:
                continue  # the end of the part before
            times.append(time)
            equity.append(level * value)
    return times, equity


def daily_returns(windows: Sequence[WindowResult]) -> Float1D:
    """Return the daily returns of the stitched equity, no day twice; days without a set are 0."""
    found: list[Float1D] = []
    for each in windows:
        part = each.traded
        if part is None:
            found.append(np.zeros(max(1, round((each.live_finish - each.test_start) / DAY_MS))))
        else:
            found.append(part.returns)
    return np.concatenate(found) if found else np.empty(0)


def degradation_of(
    windows: Sequence[WindowResult], sign: float, block: int, confidence: float, resamples: int
) -> Estimate:
    """Return in-sample less out-of-sample value, in the direction that is worse."""
    pairs = [(each.in_sample_value, each.out_of_sample_value) for each in windows]
    found = [sign * (one - two) for one, two in pairs if one is not None and two is not None]
    # Windows that share days are kept together.
    return mean_above_zero(found, confidence=confidence, resamples=resamples, block=block)


def efficiency_of(windows: Sequence[WindowResult]) -> float | None:
    """Return growth a year out of sample as a fraction of that in-sample.

    None if nothing grew there, or an account was lost.
    """
    both = [(each.in_sample, each.traded) for each in windows]
    pairs = [(one, two) for one, two in both if one is not None and two is not None]
    if not pairs:
        return None
    inside = float(np.mean([one.growth_a_year for one, _ in pairs]))
    days = sum(two.days for _, two in pairs)
    grown = sum(two.growth_a_year * two.days for _, two in pairs)
    return grown / days / inside if inside > 0 and days > 0 and math.isfinite(grown) else None


def value_efficiency_of(windows: Sequence[WindowResult]) -> float | None:
    """Return the mean out-of-sample value as a fraction of the mean in-sample one; None if that is not above 0."""
    pairs = [(each.in_sample_value, each.out_of_sample_value) for each in windows]
    both = [(one, two) for one, two in pairs if one is not None and two is not None]
    inside = float(np.mean([one for one, _ in both])) if both else 0.0
    return float(np.mean([two for _, two in both])) / inside if inside > 0 else None


def decay_of(
    windows: Sequence[WindowResult], confidence: float, resamples: int
) -> tuple[Estimate, list[tuple[int, float, int]]]:
    """Return how daily returns change with the days since the fit, and their mean at each age."""
    ages: list[Int1D] = []
    values: list[Float1D] = []
    numbers: list[Int1D] = []
    for each in windows:
        part = each.out_of_sample
        if part is None:
            continue
        returns = part.returns
        since = (np.array(part.times[1:]) - each.finish) / DAY_MS
        ages.append(np.ceil(since - 1e-9).astype(np.int64))
        values.append(returns)
        numbers.append(np.full(len(returns), each.number, dtype=np.int64))
    if not ages:
        nothing = np.empty(0)
        whole = np.empty(0, dtype=np.int64)
        return slope_with_age(whole, nothing, whole), []
    age, value, number = np.concatenate(ages), np.concatenate(values), np.concatenate(numbers)
    found = slope_with_age(age, value, number, confidence=confidence, resamples=resamples)
    table = [(int(a), float(value[age == a].mean()), int(np.count_nonzero(age == a))) for a in np.unique(age)]
    return found, table


def stability_of(windows: Sequence[WindowResult], space: Space) -> dict[str, Stability]:
    """Return how each hyper-parameter moves from window to window."""
    chosen = [each.params for each in windows if each.ok]
    found: dict[str, Stability] = {}
    for dimension in space.dimensions if chosen else ():
        values = [each[dimension.name] for each in chosen]
        changes = [one != two for one, two in zip(values[1:], values[:-1], strict=True)]
        spread = None
        if dimension.type != "categorical" and dimension.high > dimension.low:
            # Of random values, the standard deviation is the range over the root of 12.
            spread = float(np.std(values)) * math.sqrt(12) / (dimension.high - dimension.low)
        found[dimension.name] = Stability(
            values=values,
            changed=float(np.mean(changes)) if changes else 0.0,
            spread=spread,
            mode_share=max(values.count(value) for value in values) / len(values),
        )
    return found
