"""Words shared by every layer: candle columns, timeframes, codes that kernels understand."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Float1D = npt.NDArray[np.float64]
Float2D = npt.NDArray[np.float64]
Float3D = npt.NDArray[np.float64]
Int1D = npt.NDArray[np.int64]
JsonDict = dict[str, Any]

# Columns of a candle array, in Jesse's order: note that close comes second.
TIMESTAMP: Final = 0
OPEN: Final = 1
CLOSE: Final = 2
HIGH: Final = 3
LOW: Final = 4
VOLUME: Final = 5

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000

#: Minutes of each of Jesse's timeframes.
TIMEFRAME_MINUTES: Final[dict[str, int]] = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "45m": 45,
    "1h": 60,
    "2h": 120,
    "3h": 180,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1D": 1440,
    "3D": 4320,
    "1W": 10080,
    "1M": 43200,
}


class Side(IntEnum):
    """Side of an order."""

    SELL = -1
    BUY = 1


class OrderType(IntEnum):
    """Type of an order, as Jesse derives it from the price."""

    MARKET = 0
    LIMIT = 1
    STOP = 2


class OrderStatus(IntEnum):
    """Life of an order."""

    ACTIVE = 0
    EXECUTED = 1
    CANCELED = 2


class SubmittedVia(IntEnum):
    """Which attribute of the strategy an exit order came from."""

    NONE = 0
    STOP_LOSS = 1
    TAKE_PROFIT = 2


class Mode(IntEnum):
    """How the account works: Jesse's `type` and `futures_leverage_mode` in one."""

    CROSS = 0
    ISOLATED = 1
    SPOT = 2


class Status(IntEnum):
    """How a run ended: 0 is a complete run; every other code names what stopped it.

    The codes up to 99 are exceptions that Jesse raises on the same input, named as Jesse names them. The codes from 100
    on are what fastbt does not simulate: it says so rather than return a number that might be wrong.
    """

    OK = 0
    INVALID_STRATEGY = 1
    CONFLICTING_RULES = 2
    ORDER_NOT_ALLOWED = 3
    INSUFFICIENT_MARGIN = 4
    INSUFFICIENT_BALANCE = 5
    VALUE_ERROR = 6
    TYPE_ERROR = 7
    ZERO_DIVISION_ERROR = 8
    INDEX_ERROR = 9
    KEY_ERROR = 10
    ATTRIBUTE_ERROR = 11
    ASSERTION_ERROR = 12
    OVERFLOW_ERROR = 13
    NOT_IMPLEMENTED_ERROR = 14
    ROUTE_NOT_FOUND = 15
    USER_EXCEPTION = 16
    UNBOUND_LOCAL_ERROR = 17
    FLIP = 100
    NAN_QTY = 101
    TOO_MANY_ORDERS = 102
    TOO_MANY_FILLS = 103
    DECIMAL_RANGE = 104
    AMBIGUOUS_DIVISION = 105
    LOOP_BOUND = 106
    FORMING_SERIES = 107
    UNEXPECTED_NONE = 108
    BAD_ARGUMENT = 109
    INT_RANGE = 110
    LIST_BOUND = 111
    COMPLEX_POWER = 112
    ROUND_RANGE = 113
    AMBIGUOUS_ROUND = 114
    USER_FUNCTION_RAISED = 115

    @property
    def jesse_exception(self) -> str | None:
        """Name of the exception that Jesse raises, or None if Jesse would not raise."""
        if self == Status.OK or self >= Status.FLIP:
            return None
        words = self.name.split("_")
        name = "".join(word.capitalize() for word in words)
        return {"UserException": "Exception"}.get(name, name)


#: What the statuses from 100 on mean, in a sentence for the user.
UNSUPPORTED_REASONS: Final[dict[Status, str]] = {
    Status.FLIP: "an order larger than the open position would flip it; Jesse's own trade record is broken there",
    Status.NAN_QTY: "an order had a quantity that is not a number; everything after it is NaN in Jesse",
    Status.TOO_MANY_ORDERS: "more orders were working at once than the compiled order table holds",
    Status.TOO_MANY_FILLS: "one trade had more fills than the compiled fill table holds",
    Status.DECIMAL_RANGE: "a quantity or balance left the range in which Jesse's decimal addition is exact",
    Status.AMBIGUOUS_DIVISION: "a division by zero whose outcome in Jesse depends on Python or numpy number types",
    Status.LOOP_BOUND: "a loop ran longer than the compiled bound",
    Status.FORMING_SERIES: "a callback asked for an indicator that runs in Python, or for another symbol, while a "
    "candle was still forming; keep the value in self.vars at the end of the bar",
    Status.BAD_ARGUMENT: "an indicator or a slice was asked for with a length that makes no sense",
    Status.UNEXPECTED_NONE: "a function returned None, and numbers when tried before the run; return nan instead",
    Status.INT_RANGE: "a whole number left the range that the machine holds exactly; Python's has no bounds",
    Status.LIST_BOUND: "a list grew longer than a compiled list can be",
    Status.COMPLEX_POWER: "a negative number was raised to a fractional power, which is complex in Python",
    Status.ROUND_RANGE: "round() of a number too large, or to digits that are not between 0 and 15",
    Status.AMBIGUOUS_ROUND: "round() of a number whose last digit depends on Python or numpy number types",
    Status.USER_FUNCTION_RAISED: "a numba function of the strategy's own raised, and it can raise several exceptions, "
    "which compiled code cannot tell apart",
}
