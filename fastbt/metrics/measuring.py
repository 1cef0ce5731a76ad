"""Public face of the metrics kernels."""

from __future__ import annotations

import numpy as np

from fastbt.errors import ShapeError
from fastbt.metrics.names import INT_METRICS, METRICS, METRICS_WITHOUT_TRADES
from fastbt.results import Simulation
from fastbt.types import Float1D


def measure(simulation: Simulation, *, annualization: int = 365) -> dict[str, float | int]:
    """Return the metrics of one run exactly as Jesse reports them.

    Parameters
    ----------
    simulation : Simulation
        A complete run: its trades, daily balance and balances.
    annualization : int, optional
        Periods in a year for Sharpe, Sortino and their smart variants: 365, or 252. CAGR and Calmar always take 365.

    Returns
    -------
    dict of str to float or int
        In Jesse's order; counts are ints. Percentages are percent, `win_rate` is a fraction, holding periods are
        seconds, money is in quote currency, drawdown is negative. NaN is what cannot be known (the average win of a run
        without one), and a run without a closed trade has four keys only.

    Raises
    ------
    ShapeError
        If there is not one time for each sample of the daily balance.

    Notes
    -----
    Jesse's quirks are kept: the drawdown ignores a loss in the first interval, Sortino divides by one sample too many,
    `serenity_index` is NaN below 20 samples and infinite from there on.

    References
    ----------
    .. [1] Specification, section 6. The rules in plain Python: ``tests/naive_metrics.py``; against Jesse:
       ``tests/parity/test_metrics_parity.py``.

    Examples
    --------
    >>> from fastbt.results import Simulation
    >>> day = 86_400_000
    >>> idle = Simulation([], [100.0, 100.0], [0, day], 100.0, 100.0, 0, day)
    >>> measure(idle)
    {'total': 0, 'win_rate': 0, 'net_profit_percentage': 0, 'annualization': 365}
    """
    from fastbt.metrics._kernels import _run_metrics

    if len(simulation.daily_balance) != len(simulation.daily_time):
        raise ShapeError(
            "daily_balance wants one time for each sample; "
            f"it was {len(simulation.daily_balance)} samples and {len(simulation.daily_time)} times"
        )
    trades = simulation.trades
    row = np.empty(len(METRICS))
    # Only where the kernel runs as plain Python: divisions by zero are part of the definitions.
    with np.errstate(all="ignore"):
        _run_metrics(
            np.array([trade.pnl for trade in trades], dtype=np.float64),
            np.array([1.0 if trade.type == "long" else -1.0 for trade in trades], dtype=np.float64),
            np.array([trade.fee for trade in trades], dtype=np.float64),
            np.array([trade.holding_period for trade in trades], dtype=np.float64),
            len(trades),
            np.array(simulation.daily_balance, dtype=np.float64),
            np.array(simulation.daily_time, dtype=np.float64),
            float(simulation.starting_balance),
            float(simulation.finishing_balance),
            float(simulation.started_at),
            float(simulation.finished_at),
            int(simulation.total_open_trades),
            float(simulation.open_pl),
            float(annualization),
            row,
        )
    return metrics_row_to_dict(row)


def metrics_row_to_dict(row: Float1D) -> dict[str, float | int]:
    """Return one row of the metrics kernel as Jesse's dict.

    Parameters
    ----------
    row : ndarray, shape (len(METRICS),), float64
        In the order of `METRICS`.

    Returns
    -------
    dict of str to float or int
        Jesse's keys in Jesse's order, counts as ints; the four keys of an idle run if no trade closed.

    Raises
    ------
    ShapeError
        If `row` has another shape.

    Examples
    --------
    >>> row = np.full(len(METRICS), np.nan)
    >>> row[METRICS.index("total")] = row[METRICS.index("win_rate")] = row[METRICS.index("net_profit_percentage")] = 0
    >>> row[METRICS.index("annualization")] = 365
    >>> metrics_row_to_dict(row)
    {'total': 0, 'win_rate': 0, 'net_profit_percentage': 0, 'annualization': 365}
    """
    if np.shape(row) != (len(METRICS),):
        raise ShapeError(f"a row of metrics wants shape ({len(METRICS)},); it was {np.shape(row)}")
    values = dict(zip(METRICS, np.asarray(row, dtype=np.float64).tolist(), strict=True))
    if values["total"] == 0:
        return {name: int(values[name]) for name in METRICS_WITHOUT_TRADES}
    return {
        name: int(value) if name in INT_METRICS and not np.isnan(value) else value for name, value in values.items()
    }
