"""What a strategy assigns to `buy`, `sell`, `stop_loss` and `take_profit`: points of quantity and price."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastbt.engine.jesse_exceptions import InvalidStrategy


def as_points(assigned: Any) -> Any:
    """Return an assignment as Jesse reads it.

    Parameters
    ----------
    assigned : object
        `(qty, price)`, or a list or tuple of those, or an array (taken as it is), or None.

    Returns
    -------
    ndarray, shape (n, 2), float64, or list
        One point a row; the empty list for None and for an empty list.

    Raises
    ------
    InvalidStrategy
        If a price is zero or less. NaN passes.
    ValueError, TypeError, IndexError
        If it cannot be read, as numpy or Python puts it.

    References
    ----------
    .. [1] Specification 2.3.

    Examples
    --------
    >>> as_points((2, 100))
    array([[  2., 100.]])
    >>> as_points(None)
    []
    """
    if type(assigned) is np.ndarray:
        return assigned
    if assigned is None or assigned == []:
        return []
    # `[1, 95]` is one point too: only what the first element is decides.
    points = np.array(assigned if type(assigned[0]) in (list, tuple) else [assigned], dtype=float)
    if points[:, 1].min() <= 0:
        raise InvalidStrategy(f"an order wants a price above zero; {assigned} was given")
    return points


def same_points(a: Any, b: Any) -> bool:
    """Return whether two assignments are equal, element by element; NaN equals nothing.

    Examples
    --------
    >>> same_points(as_points((1, 2)), as_points([(1, 2)]))
    True
    """
    return bool(np.array_equal(a, b))


def check_finite(points: Any, name: str) -> None:
    """Raise InvalidStrategy if a quantity or price of an exit is not a number."""
    for qty, price in points:
        if not np.isfinite(qty) or not np.isfinite(price):
            raise InvalidStrategy(f"self.{name} wants numbers; ({qty}, {price}) was given")
