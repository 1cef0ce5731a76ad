"""Two runs of one strategy, field by field: the first difference, in its context, or nothing.

Trades, orders, balances and counts must be equal to the last bit. Metrics, which are sums in another order, must agree
to 1e-9. Paths are written in Jesse's words: `trades[3].orders[1].price`, `metrics.sharpe_ratio`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from numbers import Real
from typing import Any, Final

from fastbt.errors import SimulationError
from fastbt.oracle.worker import ORDER_FIELDS, TRADE_FIELDS
from fastbt.results import FilledOrder, Simulation, Trade
from fastbt.types import JsonDict

#: Relative tolerance of metrics.
METRIC_TOLERANCE: Final = 1e-9
_MISSING: Final = "(missing)"
_TIMES: Final = ("opened_at", "closed_at", "executed_at", "created_at", "daily_time", "started_at", "finished_at")
# Compared in this order, so that the cause is named before its consequences.
_SCALARS: Final = (
    "order_count",
    "total_open_trades",
    "open_pl",
    "liquidations",
    "starting_balance",
    "finishing_balance",
    "started_at",
    "finished_at",
)


#: What fastbt says of one run: how it ended, and its metrics (empty if it was aborted).
Run = tuple[Simulation | SimulationError, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two runs differ.

    Attributes
    ----------
    path : str
        Where, as `trades[3].orders[1].price`.
    ours, theirs : object
        Both values; "(missing)" where one side has none.
    context : tuple of str
        Lines that show the place: for a trade, the trade before, at and after it, on both sides.
    """

    path: str
    ours: Any
    theirs: Any
    context: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Show path, both values and the context."""
        ours, theirs = _value(self.path, self.ours), _value(self.path, self.theirs)
        lines = [f"first difference: {self.path}", f"  fastbt  {ours}", f"  Jesse   {theirs}"]
        return "\n".join([*lines, *(f"  {line}".rstrip() for line in self.context)])

    def to_dict(self) -> JsonDict:
        """Return path, values and context for JSON; numbers that JSON lacks become text."""
        return {
            "path": self.path,
            "ours": _json(self.ours),
            "theirs": _json(self.theirs),
            "context": list(self.context),
        }


def compare(ours: Run, theirs: Mapping[str, Any]) -> Difference | None:
    """Return the first difference between fastbt's run and Jesse's, or None if they are identical.

    Parameters
    ----------
    ours : tuple
        How fastbt's run ended, and its metrics. A run that fastbt does not simulate differs from whatever Jesse does.
    theirs : mapping
        The answer of `JesseProcess.backtest`.

    Returns
    -------
    Difference or None
        If both were aborted, only the names of the exceptions are compared.

    Examples
    --------
    >>> from fastbt.errors import SimulationError
    >>> aborted = SimulationError("qty is 0", exception="InvalidStrategy")
    >>> print(compare((aborted, {}), {"status": "failed", "exception": "InvalidStrategy", "message": "", "time": 0.0}))
    None
    >>> print(compare((aborted, {}), {"status": "failed", "exception": "ValueError", "message": "", "time": 0.0}))
    first difference: exception
      fastbt  InvalidStrategy
      Jesse   ValueError
      fastbt: qty is 0
      Jesse, 1970-01-01 00:00: ValueError:
    """
    outcome, metrics = ours
    failed = theirs["status"] == "failed"
    if isinstance(outcome, SimulationError) or failed:
        return _compare_endings(outcome, theirs)
    mine = _as_jesse(outcome)
    for path, left, right in _walk(mine, metrics, theirs):
        return Difference(path, left, right, tuple(_context(path, mine, theirs)))
    return None


def _compare_endings(outcome: Simulation | SimulationError, theirs: Mapping[str, Any]) -> Difference | None:
    if isinstance(outcome, SimulationError):
        left = outcome.exception or "not simulated"
        told = f"fastbt{_when(outcome.time)}: {outcome}"
    else:
        left, told = "no exception", f"fastbt: {_summary(_as_jesse(outcome))}"
    if theirs["status"] == "failed":
        right = theirs["exception"]
        answer = f"Jesse{_when(theirs['time'])}: {right}: {theirs['message']}"
    else:
        right, answer = "no exception", f"Jesse: {_summary(theirs)}"
    return None if left == right else Difference("exception", left, right, (told, answer))


def _as_jesse(run: Simulation) -> JsonDict:
    """Write our run in the worker's words."""
    return {
        **{name: getattr(run, name) for name in _SCALARS},
        "trades": [_trade(trade) for trade in run.trades],
        "daily_balance": list(run.daily_balance),
        "daily_time": list(run.daily_time),
    }


def _trade(trade: Trade) -> JsonDict:
    ours = {"PNL": trade.pnl, "PNL_percentage": trade.pnl_percentage}
    fields: JsonDict = {name: ours[name] if name in ours else getattr(trade, name) for name in TRADE_FIELDS}
    fields["orders"] = [_order(order) for order in trade.orders]
    return fields


def _order(order: FilledOrder) -> JsonDict:
    # Only executed orders enter a trade; Jesse's own status is compared with that.
    return {name: "EXECUTED" if name == "status" else getattr(order, name) for name in ORDER_FIELDS}


def _same(left: Any, right: Any, tolerance: float = 0.0) -> bool:
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left) and math.isnan(right):
        return True
    if left == right:
        return True
    if tolerance and isinstance(left, Real) and isinstance(right, Real):
        return math.isclose(left, right, rel_tol=tolerance)
    return False


Found = Iterator[tuple[str, Any, Any]]


def _walk(mine: JsonDict, metrics: Mapping[str, Any], theirs: Mapping[str, Any]) -> Found:
    """Yield each difference, in the order of causes: trades in time, then balances, counts and metrics."""
    yield from _walk_trades(mine["trades"], theirs["trades"])
    for name in ("daily_time", "daily_balance"):
        yield from _walk_list(name, mine[name], theirs[name])
    for name in _SCALARS:
        if not _same(mine[name], theirs[name]):
            yield name, mine[name], theirs[name]
    for name in sorted({*metrics, *theirs["metrics"]}):
        left, right = metrics.get(name, _MISSING), theirs["metrics"].get(name, _MISSING)
        if not _same(left, right, METRIC_TOLERANCE):
            yield f"metrics.{name}", left, right


def _walk_trades(mine: Sequence[JsonDict], theirs: Sequence[JsonDict]) -> Found:
    for i, (left, right) in enumerate(zip(mine, theirs, strict=False)):
        # Orders first: a trade's own fields follow from them.
        for j, (order, other) in enumerate(zip(left["orders"], right["orders"], strict=False)):
            for name in ORDER_FIELDS:
                if not _same(order[name], other[name]):
                    yield f"trades[{i}].orders[{j}].{name}", order[name], other[name]
        if len(left["orders"]) != len(right["orders"]):
            yield f"trades[{i}].orders.length", len(left["orders"]), len(right["orders"])
        for name in TRADE_FIELDS:
            if not _same(left[name], right[name]):
                yield f"trades[{i}].{name}", left[name], right[name]
    if len(mine) != len(theirs):
        yield "trades.length", len(mine), len(theirs)


def _walk_list(name: str, mine: Sequence[Any], theirs: Sequence[Any]) -> Found:
    for i, (left, right) in enumerate(zip(mine, theirs, strict=False)):
        if not _same(left, right):
            yield f"{name}[{i}]", left, right
    if len(mine) != len(theirs):
        yield f"{name}.length", len(mine), len(theirs)


def _context(path: str, mine: JsonDict, theirs: Mapping[str, Any]) -> Iterator[str]:
    """Say what stands around a difference."""
    if path.startswith("trades"):
        shortest = min(len(mine["trades"]), len(theirs["trades"]))
        at = shortest if path == "trades.length" else int(path[len("trades[") : path.index("]")])
        for i in range(max(0, at - 1), at + 2):
            for side, trades in (("fastbt", mine["trades"]), ("Jesse", theirs["trades"])):
                if i < len(trades):
                    mark = ">" if i == at else " "
                    yield f"{mark} {side:6} trades[{i}] {_trade_line(trades[i])}"
                    if i == at:
                        yield from (f"           {_order_line(order)}" for order in trades[i]["orders"])
    elif path.startswith("daily_") and not path.endswith("length"):
        at = int(path[path.index("[") + 1 : -1])
        for i in range(max(0, at - 1), at + 2):
            for side, run in (("fastbt", mine), ("Jesse", theirs)):
                if i < len(run["daily_time"]) and i < len(run["daily_balance"]):
                    mark = ">" if i == at else " "
                    yield f"{mark} {side:6} daily[{i}] {_moment(run['daily_time'][i])}  {run['daily_balance'][i]!r}"
    else:
        yield f"fastbt: {_summary(mine)}"
        yield f"Jesse:  {_summary(theirs)}"


def _trade_line(trade: Mapping[str, Any]) -> str:
    return (
        f"{trade['type']:5} qty {trade['qty']!r}  {_moment(trade['opened_at'])} at {trade['entry_price']!r}"
        f" -> {_moment(trade['closed_at'])} at {trade['exit_price']!r}  PNL {trade['PNL']!r}"
    )


def _order_line(order: Mapping[str, Any]) -> str:
    via = f" ({order['submitted_via']})" if order["submitted_via"] else ""
    return (
        f"{order['side']:4} {order['type']:6} qty {order['qty']!r} filled {order['filled_qty']!r} at {order['price']!r}"
        f"  submitted {_moment(order['created_at'])}, filled {_moment(order['executed_at'])}{via}"
    )


def _summary(run: Mapping[str, Any]) -> str:
    return (
        f"{len(run['trades'])} trades, {run['order_count']} orders, {len(run['daily_balance'])} balances, "
        f"finished with {run['finishing_balance']!r}"
    )


def _moment(time_ms: Any) -> str:
    if not isinstance(time_ms, Real) or not math.isfinite(time_ms):
        return str(time_ms)
    moment = datetime.fromtimestamp(float(time_ms) / 1000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M" + (":%S.%f" if time_ms % 60_000 else ""))


def _when(time_ms: float) -> str:
    return f", {_moment(time_ms)}" if math.isfinite(time_ms) and time_ms >= 0 else ""


def _value(path: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    name = path.rsplit(".", 1)[-1].split("[")[0]
    return f"{value!r} ({_moment(value)})" if name in _TIMES else repr(value)


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
