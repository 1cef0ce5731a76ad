"""The names of Jesse's metrics, in the order of Jesse's result."""

from __future__ import annotations

from typing import Final

METRICS: Final[tuple[str, ...]] = (
    "total",
    "total_winning_trades",
    "total_losing_trades",
    "starting_balance",
    "finishing_balance",
    "win_rate",
    "win_rate_longs",
    "win_rate_shorts",
    "ratio_avg_win_loss",
    "longs_count",
    "longs_percentage",
    "shorts_percentage",
    "shorts_count",
    "fee",
    "net_profit",
    "net_profit_percentage",
    "average_win",
    "average_loss",
    "expectancy",
    "expectancy_percentage",
    "expected_net_profit_every_100_trades",
    "average_holding_period",
    "average_winning_holding_period",
    "average_losing_holding_period",
    "gross_profit",
    "gross_loss",
    "max_drawdown",
    "max_underwater_period",
    "annual_return",
    "annualization",
    "sharpe_ratio",
    "calmar_ratio",
    "sortino_ratio",
    "smart_sharpe",
    "smart_sortino",
    "omega_ratio",
    "serenity_index",
    "total_open_trades",
    "open_pl",
    "winning_streak",
    "losing_streak",
    "largest_losing_trade",
    "largest_winning_trade",
    "current_streak",
    "avg_trades_per_day",
    "avg_trades_per_week",
    "avg_trades_per_month",
)

#: Counts, and the annualisation as it was set: Python ints in Jesse's result. `max_underwater_period` is a float there.
INT_METRICS: Final[frozenset[str]] = frozenset(
    {
        "total",
        "total_winning_trades",
        "total_losing_trades",
        "longs_count",
        "shorts_count",
        "annualization",
        "total_open_trades",
        "winning_streak",
        "losing_streak",
        "current_streak",
    }
)

#: What Jesse reports of a run without a closed trade, in its order.
METRICS_WITHOUT_TRADES: Final[tuple[str, ...]] = ("total", "win_rate", "net_profit_percentage", "annualization")
