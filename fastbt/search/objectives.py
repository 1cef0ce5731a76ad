"""What a search makes as large or small as it can, and what a set must reach to count at all."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastbt.compiler.sets import Column, SetTable
from fastbt.errors import SettingsError, did_you_mean
from fastbt.metrics.names import METRICS
from fastbt.sweep.constraints import Constraint
from fastbt.sweep.names import LOWER_IS_BETTER, check_metric
from fastbt.types import Float1D, Float2D

#: Jesse's objective functions: the metric behind each, and the range that its fitness takes to 0..1.
FITNESS_RATIOS: Final[dict[str, tuple[str, float, float]]] = {
    "sharpe": ("sharpe_ratio", -0.5, 5.0),
    "calmar": ("calmar_ratio", -0.5, 30.0),
    "sortino": ("sortino_ratio", -0.5, 15.0),
    "omega": ("omega_ratio", -0.5, 5.0),
    "serenity": ("serenity_index", -0.5, 15.0),
    "smart sharpe": ("smart_sharpe", -0.5, 5.0),
    "smart sortino": ("smart_sortino", -0.5, 15.0),
}
#: Jesse's fitness of a set that is of no use.
USELESS: Final = 0.0001
#: Jesse's word for an objective: fitness of a ratio.
_FITNESS: Final = re.compile(r"^fitness(?::([a-z _]+))?$")
_SIMPLE: Final = re.compile(r"^\s*([A-Za-z_]\w*)\s*(<=|<|>=|>)\s*([-+]?[0-9.]+(?:[eE][-+]?\d+)?)\s*$")


def jesse_fitness(metrics: Float2D, ratio: str = "sharpe", optimal_total: int = 200) -> Float1D:
    """Return Jesse's fitness of runs.

    `min(log10(trades) / log10(optimal_total), 1)` times the ratio, taken to 0..1 by its usual range; 0.0001 for a run
    of up to 5 trades, with a negative ratio, or without one.

    Parameters
    ----------
    metrics : ndarray, shape (n, n_metrics)
        In the order of `fastbt.metrics.names.METRICS`; rows of NaN stay NaN.
    ratio : str
        One of `FITNESS_RATIOS`.
    optimal_total : int
        As many trades count as enough: Jesse's `optimal_total`, from 2.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    .. [1] ``jesse/modes/optimize_mode/fitness.py``, ``get_fitness``, of Jesse 3.5.3; compared with it in
       ``tests/parity/test_search_parity.py``.

    Examples
    --------
    >>> row = np.full((1, len(METRICS)), np.nan)
    >>> row[0, METRICS.index("total")], row[0, METRICS.index("sharpe_ratio")] = 100, 1.7
    >>> float(jesse_fitness(row, optimal_total=100)[0])
    0.4
    """
    name, low, high = FITNESS_RATIOS[ratio]
    total, value = metrics[:, METRICS.index("total")], metrics[:, METRICS.index(name)]
    # Python's logarithm, as in Jesse: numpy's differs in the last bit.
    counts, which = np.unique(total, return_inverse=True)
    rates = [math.log10(count) / math.log10(optimal_total) if count > 0 else math.nan for count in counts.tolist()]
    with np.errstate(all="ignore"):
        score = np.minimum(np.array(rates)[which.ravel()], 1.0) * ((value - low) / (high - low))
    useless = (total <= 5) | (value < 0) | np.isnan(score)
    return np.where(np.isnan(total), np.nan, np.where(useless, USELESS, score))


@dataclass(frozen=True)
class Objective:
    """One number of a run that is to be large or small.

    Attributes
    ----------
    name : str
        One of Jesse's metrics, or "fitness:RATIO".
    maximize : bool
    optimal_total : int
        Of Jesse's fitness.
    """

    name: str
    maximize: bool
    optimal_total: int = 200

    @property
    def ratio(self) -> str | None:
        """The ratio of Jesse's fitness; None if it is a metric itself."""
        found = _FITNESS.match(self.name)
        return None if found is None else found[1] or "sharpe"

    @property
    def sign(self) -> float:
        """1 if more is better, else -1."""
        return 1.0 if self.maximize else -1.0

    def values(self, metrics: Float2D) -> Float1D:
        """Return the number for each row of metrics."""
        ratio = self.ratio
        if ratio is not None:
            return jesse_fitness(metrics, ratio, self.optimal_total)
        return metrics[:, METRICS.index(self.name)]


def make_objectives(
    names: Sequence[str], directions: Sequence[str | None] | None = None, optimal_total: int = 200
) -> list[Objective]:
    """Return objectives by name: Jesse's metrics, "fitness" and "fitness:RATIO".

    Parameters
    ----------
    names : sequence of str
    directions : sequence of {"maximize", "minimize", None}, optional
        The usual one of the metric where left out.
    optimal_total : int
        Of Jesse's fitness.

    Raises
    ------
    SettingsError
        If there is no such metric, ratio or direction.

    Examples
    --------
    >>> [(each.name, each.maximize) for each in make_objectives(["sharpe_ratio", "fee", "fitness:calmar"])]
    [('sharpe_ratio', True), ('fee', False), ('fitness:calmar', True)]
    """
    if not names:
        raise SettingsError("metric: wanted at least one; there was none")
    if len(set(names)) < len(names):
        raise SettingsError(f"metric: wanted different ones; was {', '.join(names)}")
    ways = list(directions or [None] * len(names))
    if len(ways) != len(names):
        raise SettingsError(f"direction: wanted one for each metric; there were {len(ways)} for {len(names)}")
    found = []
    for name, way in zip(names, ways, strict=True):
        if way not in (None, "maximize", "minimize"):
            raise SettingsError(f"direction wants maximize or minimize; it was {way!r}")
        words = _FITNESS.match(name)
        if words is None:
            check_metric(name)
        else:
            ratio = (words[1] or "sharpe").replace("_", " ")
            if ratio not in FITNESS_RATIOS:
                raise SettingsError(
                    f"fitness is of {', '.join(FITNESS_RATIOS)}; it was {ratio!r}.{did_you_mean(ratio, FITNESS_RATIOS)}"
                )
            name = f"fitness:{ratio}"
        usual = name not in LOWER_IS_BETTER
        found.append(Objective(name, usual if way is None else way == "maximize", optimal_total))
    return found


@dataclass(frozen=True)
class Requirement:
    """A condition on the metrics of a run, such as `total >= 30`.

    Attributes
    ----------
    text : str
        As `fastbt.sweep.Constraint` takes it, with the names of Jesse's metrics.
    """

    text: str

    def __post_init__(self) -> None:
        rule = Constraint(self.text)
        if not rule.names:
            raise SettingsError(f"constraint {self.text!r}: wanted a condition on metrics; it names none")
        for name in rule.names:
            check_metric(name)
        object.__setattr__(self, "_rule", rule)

    def violation(self, metrics: Float2D) -> Float1D:
        """Return by how much each run misses it: above 0 where it does, at most 0 where it does not.

        Parameters
        ----------
        metrics : ndarray, shape (n, n_metrics)

        Examples
        --------
        >>> rows = np.full((3, len(METRICS)), np.nan)
        >>> rows[:2, METRICS.index("total")] = 12, 40
        >>> Requirement("total >= 30").violation(rows).tolist()
        [18.0, -10.0, 1.0]
        """
        rule: Constraint = self._rule  # type: ignore[attr-defined]
        table = SetTable({name: Column(_metric(metrics, name)) for name in rule.names}, len(metrics))
        holds = rule.holds(table)
        size = np.where(holds, 0.0, 1.0)
        simple = _SIMPLE.match(self.text)
        if simple is not None:
            missing = _metric(metrics, simple[1]) - float(simple[3])
            missing = missing if simple[2].startswith("<") else -missing
            size = np.where(np.isfinite(missing), missing, size)
        return np.where(holds, np.minimum(size, 0.0), np.maximum(size, 1e-12))


def _metric(metrics: Float2D, name: str) -> Float1D:
    return np.ascontiguousarray(metrics[:, METRICS.index(name)])


def make_requirements(
    texts: Sequence[str], min_trades: int | None = None, max_drawdown: float | None = None
) -> list[Requirement]:
    """Return requirements of their texts and of the two usual ones.

    Parameters
    ----------
    texts : sequence of str
    min_trades : int, optional
    max_drawdown : float, optional
        Percent, positive: 20 stands for `max_drawdown >= -20`.

    Examples
    --------
    >>> [each.text for each in make_requirements(["win_rate > 0.4"], min_trades=30, max_drawdown=20)]
    ['win_rate > 0.4', 'total >= 30', 'max_drawdown >= -20.0']
    """
    if max_drawdown is not None and max_drawdown < 0:
        raise SettingsError(f"max_drawdown wants percent, such as 20; it was {max_drawdown}")
    found = list(texts)
    found += [f"total >= {min_trades}"] if min_trades else []
    found += [f"max_drawdown >= -{float(max_drawdown)}"] if max_drawdown is not None else []
    return [Requirement(text) for text in found]


def violations(requirements: Sequence[Requirement], metrics: Float2D) -> Float2D:
    """Return by how much each run misses each requirement, shape (n, n_requirements)."""
    if not requirements:
        return np.empty((len(metrics), 0))
    return np.column_stack([each.violation(metrics) for each in requirements])


def pareto_front(values: Float2D, signs: Sequence[float]) -> npt.NDArray[np.int64]:
    """Return the rows that no other row beats in one objective without losing in another, best in the first one first.

    Parameters
    ----------
    values : ndarray, shape (n, n_objectives)
    signs : sequence of float
        1 where more is better, else -1.

    Examples
    --------
    >>> pareto_front(np.array([[1.0, 5.0], [2.0, 4.0], [0.5, 4.5], [2.0, 4.0]]), [1, 1]).tolist()
    [1, 0]
    """
    gains = values * np.asarray(signs, dtype=np.float64)
    order = np.lexsort([np.arange(len(gains)), *(-gains[:, i] for i in reversed(range(gains.shape[1])))])
    front: list[int] = []
    for row in order.tolist():
        kept = gains[front]
        # What comes earlier is at least as good in the first objective: it only matters whether one beats or equals it.
        if not len(front) or not (kept >= gains[row]).all(axis=1).any():
            front.append(row)
    return np.array(front, dtype=np.int64)


def describe_values(values: Sequence[Any]) -> str:
    """Return values of objectives as text."""
    return ", ".join("-" if value is None else f"{value:.4g}" for value in values)
