"""Jesse's strategy API as kernel code: which attribute is which expression, and which it is not."""

from __future__ import annotations

from typing import Final

#: The hooks that the machine calls, and whether candles may be forming when it does.
BAR_HOOKS: Final = (
    "before",
    "should_short",
    "should_long",
    "go_short",
    "go_long",
    "should_cancel_entry",
    "update_position",
    "after",
)
FILL_HOOKS: Final = (
    "on_open_position",
    "on_increased_position",
    "on_reduced_position",
    "on_close_position",
    "on_cancel",
    "before_terminate",
    "terminate",
)
HOOKS: Final = (*BAR_HOOKS, *FILL_HOOKS)
#: What other routes tell: called only if there are any.
ROUTE_HOOKS: Final = (
    "on_route_open_position",
    "on_route_close_position",
    "on_route_increased_position",
    "on_route_reduced_position",
    "on_route_canceled",
)

#: Callbacks and the objects that Jesse passes to them.
HOOK_ARGUMENTS: Final = {
    "on_open_position": ("order",),
    "on_increased_position": ("order",),
    "on_reduced_position": ("order",),
    "on_close_position": ("order", "trade"),
    **{key: ("other",) for key in ROUTE_HOOKS},
}

#: Methods that never run inside the kernel.
PYTHON_SIDE: Final = ("__init__", "hyperparameters", "dna", "watch_list", "update_chart", "__str__", "__repr__")

#: Order attributes that a strategy assigns.
ORDER_ATTRIBUTES: Final = ("buy", "sell", "stop_loss", "take_profit")

#: `self.<name>` as (code, type, numpy scalar or not or unknown, code that tells whether it is None).
SELF: Final[dict[str, tuple[str, str, bool | None, str | None]]] = {
    "price": ("s.current_price", "float", True, None),
    "close": ("s.current_price", "float", True, None),
    "mark_price": ("_market_price(s)", "float", True, None),
    "balance": ("s.wallet", "float", None, None),
    "available_margin": ("_available_margin(s)", "float", None, None),
    "leveraged_available_margin": ("_available_margin(s) * s.leverage", "float", None, None),
    "portfolio_value": ("_portfolio_value(s)", "float", None, None),
    "index": ("s.index", "int", False, None),
    "time": ("s.time", "float", None, None),
    "trades_count": ("s.trades_count", "int", False, None),
    "increased_count": ("s.increased_count", "int", False, None),
    "reduced_count": ("s.reduced_count", "int", False, None),
    "last_trade_index": ("s.last_trade_index", "int", False, None),
    "is_long": ("s.qty > 0.0", "bool", False, None),
    "is_short": ("s.qty < 0.0", "bool", False, None),
    "is_open": ("s.qty != 0.0", "bool", False, None),
    "is_close": ("s.qty == 0.0", "bool", False, None),
    "liquidation_price": ("_liquidation_price(s)", "float", None, None),
}

#: `self.position.<name>`, likewise.
POSITION: Final[dict[str, tuple[str, str, bool | None, str | None]]] = {
    "qty": ("s.qty", "float", None, None),
    "previous_qty": ("s.previous_qty", "float", None, None),
    "entry_price": ("s.entry_price", "float", None, "s.qty == 0.0"),
    "current_price": ("_market_price(s)", "float", True, None),
    "mark_price": ("_market_price(s)", "float", True, None),
    "value": ("_position_value(s)", "float", None, None),
    "pnl": ("_position_pnl(s)", "float", None, None),
    "pnl_percentage": ("_position_roi(s)", "float", None, None),
    "roi": ("_position_roi(s)", "float", None, None),
    "total_cost": ("_position_total_cost(s)", "float", None, None),
    "liquidation_price": ("_liquidation_price(s)", "float", None, None),
    "bankruptcy_price": ("_bankruptcy_price(s)", "float", None, None),
    "opened_at": ("s.opened_at", "float", None, "s.opened_at != s.opened_at"),
    "closed_at": ("s.closed_at", "float", None, "s.closed_at != s.closed_at"),
    "exit_price": ("s.exit_price", "float", None, "s.exit_price != s.exit_price"),
    "is_open": ("s.qty != 0.0", "bool", False, None),
    "is_close": ("s.qty == 0.0", "bool", False, None),
    "is_long": ("s.qty > 0.0", "bool", False, None),
    "is_short": ("s.qty < 0.0", "bool", False, None),
}

#: `order.<name>` in callbacks.
ORDER: Final[dict[str, tuple[str, str, bool | None, str | None]]] = {
    "price": ("s.order_price", "float", None, None),
    "qty": ("s.order_qty", "float", None, None),
    "filled_qty": ("s.order_filled_qty", "float", None, None),
    "fee": ("s.order_fee", "float", None, None),
    "value": ("abs(s.order_qty) * s.order_price", "float", None, None),
    "reduce_only": ("s.order_reduce_only", "bool", False, None),
    "is_stop_loss": ("s.order_via == 1", "bool", False, None),
    "is_take_profit": ("s.order_via == 2", "bool", False, None),
    "is_executed": ("True", "bool", False, None),
    "is_canceled": ("False", "bool", False, None),
    "is_active": ("False", "bool", False, None),
    "executed_at": ("s.time", "float", None, None),
}

#: `closed_trade.<name>` in on_close_position.
TRADE: Final[dict[str, tuple[str, str, bool | None, str | None]]] = {
    "qty": ("s.closed_qty", "float", None, None),
    "entry_price": ("s.closed_entry_price", "float", None, None),
    "exit_price": ("s.closed_exit_price", "float", None, None),
    "fee": ("s.closed_fee", "float", None, None),
    "pnl": ("s.closed_pnl", "float", None, None),
    "size": ("s.closed_qty * s.closed_entry_price", "float", None, None),
    "pnl_percentage": (
        "s.closed_pnl / (s.closed_entry_price * s.closed_qty / s.leverage) * 100.0",
        "float",
        None,
        None,
    ),
    "roi": ("s.closed_pnl / (s.closed_entry_price * s.closed_qty / s.leverage) * 100.0", "float", None, None),
    "opened_at": ("s.closed_opened_at", "float", None, None),
    "closed_at": ("s.closed_at", "float", None, None),
    "holding_period": ("(s.closed_at - s.closed_opened_at) / 1000.0", "float", None, None),
    "is_long": ("s.closed_side > 0", "bool", False, None),
    "is_short": ("s.closed_side < 0", "bool", False, None),
}

#: Strings of the API: pairs of a test and the string if it holds; None for none.
TEXTS: Final[dict[str, dict[str, tuple[tuple[str, str | None], ...]]]] = {
    "self.position": {"type": (("s.qty > 0.0", "long"), ("s.qty < 0.0", "short"), ("True", "close"))},
    "order": {
        "side": (("s.order_side > 0", "buy"), ("True", "sell")),
        "type": (("s.order_type == 0", "MARKET"), ("s.order_type == 1", "LIMIT"), ("True", "STOP")),
        "status": (("True", "EXECUTED"),),
        "submitted_via": (("s.order_via == 1", "stop-loss"), ("s.order_via == 2", "take-profit"), ("True", None)),
    },
    "closed_trade": {"type": (("s.closed_side > 0", "long"), ("True", "short"))},
}

#: What position, order and trade know of the account and the route, by their own names.
OWNER_CONFIG: Final[dict[str, dict[str, str]]] = {
    "self.position": {"symbol": "route.symbol", "exchange_name": "account.exchange", "leverage": "account.leverage"},
    "order": {"symbol": "route.symbol", "exchange": "account.exchange"},
    "closed_trade": {
        "symbol": "route.symbol",
        "exchange": "account.exchange",
        "leverage": "account.leverage",
        "strategy_name": "route.name",
    },
}

#: What strategies may read of another route's strategy, and of its position; OTHER stands for its place.
OTHER_STRATEGY: Final[dict[str, tuple[str, str, bool | None, str | None]]] = {
    "price": ("s.others[OTHER, 4]", "float", True, None),
    "close": ("s.others[OTHER, 4]", "float", True, None),
    "balance": ("s.wallet", "float", None, None),
    "available_margin": ("_available_margin(s)", "float", None, None),
    "leverage": ("s.leverage", "int", False, None),
    "trades_count": ("np.int64(s.others[OTHER, 5])", "int", False, None),
    "index": ("np.int64(s.others[OTHER, 6])", "int", False, None),
    "is_long": ("s.others[OTHER, 0] > 0.0", "bool", False, None),
    "is_short": ("s.others[OTHER, 0] < 0.0", "bool", False, None),
    "is_open": ("s.others[OTHER, 0] != 0.0", "bool", False, None),
    "is_close": ("s.others[OTHER, 0] == 0.0", "bool", False, None),
}
OTHER_POSITION: Final[dict[str, tuple[str, str, bool | None, str | None]]] = {
    "qty": ("s.others[OTHER, 0]", "float", None, None),
    "entry_price": ("s.others[OTHER, 1]", "float", None, "s.others[OTHER, 0] == 0.0"),
    "current_price": ("s.others[OTHER, 2]", "float", True, None),
    "mark_price": ("s.others[OTHER, 2]", "float", True, None),
    "value": ("abs(s.others[OTHER, 2] * s.others[OTHER, 0])", "float", None, None),
    "pnl": ("_other_pnl(s, OTHER)", "float", None, None),
    "leverage": ("s.leverage", "int", False, None),
    "is_open": ("s.others[OTHER, 0] != 0.0", "bool", False, None),
    "is_close": ("s.others[OTHER, 0] == 0.0", "bool", False, None),
    "is_long": ("s.others[OTHER, 0] > 0.0", "bool", False, None),
    "is_short": ("s.others[OTHER, 0] < 0.0", "bool", False, None),
}

#: Candle columns by attribute of self.
COLUMNS: Final = {"open": 1, "high": 3, "low": 4, "volume": 5}

#: Source types of candle columns: an indicator of a column is one of that source over all rows.
COLUMN_SOURCES: Final = {1: "open", 2: "close", 3: "high", 4: "low", 5: "volume"}

#: `self.<name>` that depends only on the account and the route: config stage.
CONFIG: Final = {
    "fee_rate": "account.fee_rate",
    "leverage": "account.leverage",
    "exchange": "account.exchange",
    "symbol": "route.symbol",
    "timeframe": "route.timeframe",
    "is_spot_trading": "account.is_spot",
    "is_futures_trading": "not account.is_spot",
    "exchange_type": "account.exchange_type",
    "base_asset": "route.symbol.split('-')[0]",
    "quote_asset": "route.symbol.split('-')[1]",
    "name": "route.name",
}

#: `self.<name>` that never changes in a backtest.
CONSTANT: Final = {
    "is_backtesting": True,
    "is_livetrading": False,
    "is_papertrading": False,
    "is_live": False,
    "funding_rate": 0,
}

#: Methods of self without effect on trades: calls are dropped.
DROPPED: Final = frozenset(
    {
        "log",
        "update_chart",
        "watch_list",
        "add_line_to_candle_chart",
        "add_horizontal_line_to_candle_chart",
        "add_extra_line_chart",
        "add_horizontal_line_to_extra_chart",
    }
)

#: What is refused with advice of its own.
ADVICE: Final = {
    "capital": "self.capital raises NotImplementedError in Jesse 3.5.3; use self.balance",
    "metrics": "self.metrics is not available inside a compiled strategy; count what you need in self.vars",
    "trades": "self.trades is not available inside a compiled strategy; use on_close_position(order, closed_trade)",
    "min_qty": "self.min_qty exists only live",
}

#: Orders that one attribute can hold when it is assigned a list whose length is not known.
LISTED_POINTS: Final = 32

#: Methods of loggers.
LOGGING: Final = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log"})
