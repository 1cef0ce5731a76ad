"""From the buffers that kernels fill to trades and orders in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastbt.engine import layout
from fastbt.engine.account import Account
from fastbt.engine.layout import Market
from fastbt.results import FilledOrder, Simulation, Trade
from fastbt.types import MINUTE_MS, Float1D, Float2D, OrderType, Side, SubmittedVia

_VIA: Final = {SubmittedVia.NONE: None, SubmittedVia.STOP_LOSS: "stop-loss", SubmittedVia.TAKE_PROFIT: "take-profit"}


def put_into_words(
    outcome: Float1D,
    daily: Float1D,
    trades: Float2D,
    log: Float2D,
    *,
    market: Market,
    account: Account,
    symbols: Sequence[str],
) -> Simulation:
    """Return one run as what it means.

    Parameters
    ----------
    outcome : ndarray, shape (OUTCOME_FIELDS,)
    daily : ndarray, shape (n_samples,)
    trades : ndarray, shape (TRADE_FIELDS, n)
    log : ndarray, shape (LOG_FIELDS, m)
    market : Market
        Of the first route.
    account : Account
    symbols : sequence of str
        What each route trades.
    """
    # Orders know the place of their trade among those of their route.
    orders: dict[tuple[int, int], list[FilledOrder]] = {}
    for i in range(int(outcome[layout.OUTCOME_FILLS])):
        entry = log[:, i]
        orders.setdefault((int(entry[layout.LOG_ROUTE]), int(entry[layout.LOG_TRADE])), []).append(_order(entry))
    closed: list[Trade] = []
    count = [0] * len(symbols)
    for i in range(int(outcome[layout.OUTCOME_TRADES])):
        entry = trades[:, i]
        route = int(entry[layout.TRADE_ROUTE])
        of_trade = tuple(orders.get((route, count[route]), ()))
        closed.append(_trade(entry, symbols[route], account.leverage, of_trade))
        count[route] += 1
    minutes = market.minutes
    return Simulation(
        trades=closed,
        daily_balance=daily.tolist(),
        daily_time=market.sample_times.tolist(),
        starting_balance=account.starting_balance,
        finishing_balance=float(outcome[layout.OUTCOME_BALANCE]),
        started_at=int(minutes[0, 0]),
        finished_at=int(minutes[-1, 0]) + 2 * MINUTE_MS,
        order_count=int(outcome[layout.OUTCOME_ORDERS]),
        total_open_trades=int(outcome[layout.OUTCOME_OPEN_TRADES]),
        open_pl=float(outcome[layout.OUTCOME_OPEN_PL]),
        liquidations=int(outcome[layout.OUTCOME_LIQUIDATIONS]),
    )


def _order(entry: Float1D) -> FilledOrder:
    return FilledOrder(
        side=Side(int(entry[layout.LOG_SIDE])).name.lower(),
        type=OrderType(int(entry[layout.LOG_TYPE])).name,
        qty=float(entry[layout.LOG_QTY]),
        filled_qty=float(entry[layout.LOG_FILLED_QTY]),
        price=float(entry[layout.LOG_PRICE]),
        fee=float(entry[layout.LOG_FEE]),
        executed_at=float(entry[layout.LOG_EXECUTED_AT]),
        created_at=float(entry[layout.LOG_CREATED_AT]),
        reduce_only=bool(entry[layout.LOG_REDUCE_ONLY]),
        submitted_via=_VIA[SubmittedVia(int(entry[layout.LOG_VIA]))],
    )


def _trade(entry: Float1D, symbol: str, leverage: int, orders: tuple[FilledOrder, ...]) -> Trade:
    return Trade(
        symbol=symbol,
        type="long" if entry[layout.TRADE_SIDE] > 0 else "short",
        qty=float(entry[layout.TRADE_QTY]),
        entry_price=float(entry[layout.TRADE_ENTRY]),
        exit_price=float(entry[layout.TRADE_EXIT]),
        fee=float(entry[layout.TRADE_FEE]),
        pnl=float(entry[layout.TRADE_PNL]),
        opened_at=float(entry[layout.TRADE_OPENED_AT]),
        closed_at=float(entry[layout.TRADE_CLOSED_AT]),
        leverage=leverage,
        orders=orders,
    )
