"""The helpers of ``jesse.utils`` that work on whole series: crossings, streaks, returns, statistics."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from fastbt.types import Float1D, Float2D


def crossed(series1: Float1D, series2: Any, direction: str | None = None, sequential: bool = False) -> Any:
    """Return whether `series1` crossed `series2` at the last bar, or at every bar.

    Parameters
    ----------
    series1 : ndarray, shape (n_bars,)
        The series that crosses.
    series2 : ndarray, shape (n_bars,), or float
        What it crosses; a number stands for a flat line.
    direction : {"above", "below", None}, optional
        None means either way.
    sequential : bool, optional
        Return the answer for every bar.

    Returns
    -------
    bool, or ndarray of bool, shape (n_bars,)
        Before, on or on the far side; now, strictly past.

    References
    ----------
    .. [1] ``jesse.utils.crossed`` of Jesse 3.5.3.

    Examples
    --------
    >>> bool(crossed(np.array([1.0, 3.0]), 2, "above"))
    True
    """
    if sequential:
        now1, before1 = series1, _previous(series1)
        now2, before2 = series2, _previous(series2) if type(series2) is np.ndarray else series2
        above = np.logical_and(now1 > now2, before1 <= before2)
        below = np.logical_and(now1 < now2, before1 >= before2)
        either = np.logical_or(above, below)
    else:
        line = series2 if type(series2) is np.ndarray else np.array([series2, series2])
        above = series1[-2] <= line[-2] and series1[-1] > line[-1]
        below = series1[-2] >= line[-2] and series1[-1] < line[-1]
        either = above or below
    if direction is None:
        return either
    return above if direction == "above" else below


def _previous(series: Float1D) -> Float1D:
    shifted = np.empty_like(series)
    shifted[:1] = np.nan
    shifted[1:] = series[:-1]
    return shifted


def streaks(series: Float1D, use_diff: bool = True) -> Float1D:
    """Return, for each bar, how many rises (positive) or falls (negative) ended there in a row.

    Parameters
    ----------
    series : ndarray, shape (n_bars,)
        Prices, or changes with `use_diff=False`.
    use_diff : bool, optional
        Take differences first.

    Returns
    -------
    ndarray, shape (n_bars,) or, with `use_diff`, (n_bars - 1,), float64
        Lengths of streaks.

    References
    ----------
    .. [1] ``jesse.utils.streaks`` of Jesse 3.5.3.

    Examples
    --------
    >>> streaks(np.array([1.0, 3.0, 5.0, 4.0]))
    array([ 1.,  2., -1.])
    """
    changes = np.diff(series) if use_diff else series
    rises = np.clip(changes, 0, 1).astype(bool).cumsum()
    falls = np.clip(changes, -1, 0).astype(bool).cumsum()
    rises_at_last_fall = np.maximum.accumulate(np.where(changes <= 0, rises, 0))
    falls_at_last_rise = np.maximum.accumulate(np.where(changes >= 0, falls, 0))
    streak = np.where(changes >= 0, rises - rises_at_last_fall, falls_at_last_rise - falls)
    return streak.astype(np.float64)


def _pad_front(values: npt.NDArray[Any], length: int) -> Float1D:
    return np.concatenate((np.full(length - len(values), np.nan), values))


def strictly_increasing(series: Float1D, lookback: int) -> bool:
    """Return whether the last `lookback` values rise without a pause.

    Parameters
    ----------
    series : ndarray, shape (n_bars,)
        Any series.
    lookback : int
        How many of the last values to compare.

    Returns
    -------
    bool
        True also when there is nothing to compare.

    References
    ----------
    .. [1] ``jesse.utils.strictly_increasing`` of Jesse 3.5.3.

    Examples
    --------
    >>> bool(strictly_increasing(np.array([3.0, 1.0, 2.0, 4.0]), 3))
    True
    """
    rising: bool = np.all(np.diff(series[-lookback:]) > 0)  # type: ignore[assignment]
    return rising


def strictly_decreasing(series: Float1D, lookback: int) -> bool:
    """Return whether the last `lookback` values fall without a pause.

    Parameters
    ----------
    series : ndarray, shape (n_bars,)
        Any series.
    lookback : int
        How many of the last values to compare.

    Returns
    -------
    bool
        True also when there is nothing to compare.

    References
    ----------
    .. [1] ``jesse.utils.strictly_decreasing`` of Jesse 3.5.3.

    Examples
    --------
    >>> bool(strictly_decreasing(np.array([1.0, 4.0, 2.0, 1.0]), 3))
    True
    """
    falling: bool = np.all(np.diff(series[-lookback:]) < 0)  # type: ignore[assignment]
    return falling


def signal_line(series: Float1D, period: int = 10, matype: int = 0) -> Float1D:
    """Return a moving average of a series.

    Parameters
    ----------
    series : ndarray, shape (n_bars,)
        Any series, such as a MACD line.
    period : int, optional
        Length of the average, in bars.
    matype : int, optional
        Jesse's number of a moving average.

    Returns
    -------
    ndarray, shape (n_bars,), float64
        The average at each bar.

    References
    ----------
    .. [1] ``jesse.utils.signal_line`` of Jesse 3.5.3.
    """
    from fastbt import indicators

    line = indicators.ma(series, period=period, matype=matype, sequential=True)
    return np.asarray(line, dtype=np.float64)


def prices_to_returns(price_series: Float1D) -> Float1D:
    """Return the change of each price from the one before, in percent.

    Parameters
    ----------
    price_series : ndarray, shape (n_bars,)
        Prices (quote).

    Returns
    -------
    ndarray, shape (n_bars,), float64
        Percent; the first is NaN.

    References
    ----------
    .. [1] ``jesse.utils.prices_to_returns`` of Jesse 3.5.3.

    Examples
    --------
    >>> prices_to_returns(np.array([100.0, 101.0]))
    array([nan,  1.])
    """
    return _pad_front(np.diff(price_series) / price_series[:-1] * 100, len(price_series))


def z_score(series: Float1D) -> Float1D:
    """Return how many standard deviations each value lies from the mean of the whole series.

    Parameters
    ----------
    series : ndarray, shape (n_bars,)
        Any series.

    Returns
    -------
    ndarray, shape (n_bars,), float64
        Deviations, by the population's standard deviation.

    References
    ----------
    .. [1] ``jesse.utils.z_score`` of Jesse 3.5.3.

    Examples
    --------
    >>> z_score(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """
    scores: Float1D = (series - np.mean(series)) / np.std(series)
    return scores


def combinations_without_repeat(a: npt.ArrayLike, n: int = 2) -> npt.NDArray[Any]:
    """Return all ordered choices of `n` different elements.

    Parameters
    ----------
    a : array_like
        The elements.
    n : int, optional
        How many to choose, at least 2.

    Returns
    -------
    ndarray, shape (n_choices, n)
        One choice a row.

    Raises
    ------
    ValueError
        If `n` is below 2.

    References
    ----------
    .. [1] ``jesse.utils.combinations_without_repeat`` of Jesse 3.5.3.

    Examples
    --------
    >>> combinations_without_repeat([1, 2])
    array([[1, 2],
           [2, 1]])
    """
    if n <= 1:
        raise ValueError("n must be >= 2")
    return np.array(list(itertools.permutations(np.asarray(a), n)))


def numpy_candles_to_dataframe(
    candles: Float2D,
    name_date: str = "date",
    name_open: str = "open",
    name_high: str = "high",
    name_low: str = "low",
    name_close: str = "close",
    name_volume: str = "volume",
) -> Any:
    """Return candles as a pandas frame indexed by time.

    Parameters
    ----------
    candles : ndarray, shape (n_bars, 6), float64
        Timestamp (ms), open, close, high, low (quote), volume (base).
    name_date, name_open, name_high, name_low, name_close, name_volume : str, optional
        Column names.

    Returns
    -------
    pandas.DataFrame
        One bar a row, columns in the order of `candles`.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.

    References
    ----------
    .. [1] ``jesse.utils.numpy_candles_to_dataframe`` of Jesse 3.5.3.
    """
    pd = importlib.import_module("pandas")

    columns = [name_date, name_open, name_close, name_high, name_low, name_volume]
    frame = pd.DataFrame(data=candles, index=pd.to_datetime(candles[:, 0], unit="ms"), columns=columns)
    frame[name_date] = pd.to_datetime(frame.index, unit="ms")
    return frame


def are_cointegrated(price_returns_1: Float1D, price_returns_2: Float1D, cutoff: float = 0.05) -> bool:
    """Return whether two series are cointegrated (Engle-Granger).

    Parameters
    ----------
    price_returns_1, price_returns_2 : ndarray, shape (n_bars,)
        The series.
    cutoff : float, optional
        Level of significance.

    Returns
    -------
    bool
        Whether the p-value lies below the cutoff.

    Raises
    ------
    ModuleNotFoundError
        If statsmodels is not installed.

    References
    ----------
    .. [1] ``jesse.utils.are_cointegrated`` of Jesse 3.5.3.
    """
    stattools = importlib.import_module("statsmodels.tsa.stattools")
    cointegrated: bool = stattools.coint(price_returns_1, price_returns_2)[1] < cutoff
    return cointegrated


def calculate_alpha_beta(returns1: Float1D, returns2: Float1D) -> tuple[float, float]:
    """Return intercept and slope of the regression of `returns1` on `returns2`.

    Parameters
    ----------
    returns1, returns2 : ndarray, shape (n_bars,)
        Returns of the asset and of the market.

    Returns
    -------
    tuple of float
        Alpha and beta.

    Raises
    ------
    ModuleNotFoundError
        If statsmodels is not installed.

    References
    ----------
    .. [1] ``jesse.utils.calculate_alpha_beta`` of Jesse 3.5.3.
    """
    sm = importlib.import_module("statsmodels.api")
    model = sm.OLS(returns1, sm.add_constant(returns2)).fit()
    return model.params[0], model.params[1]


def dd(msg: object) -> None:
    """Print a message and end the program: Jesse's help for debugging.

    Parameters
    ----------
    msg : object
        What to print.

    Raises
    ------
    SystemExit
        Always.

    References
    ----------
    .. [1] ``jesse.utils.dd`` of Jesse 3.5.3.
    """
    print(msg)
    raise SystemExit(1)
