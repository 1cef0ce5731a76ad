"""A small run of three trades, as fastbt holds it and as Jesse's process would tell it."""

import dataclasses

from fastbt.errors import SimulationError
from fastbt.results import FilledOrder, Simulation, Trade

HOUR = 3_600_000
START = 1_546_300_800_000
NAN = float("nan")


def an_order(side: str, kind: str, qty: float, price: float, time: int, **changes) -> FilledOrder:
    order = FilledOrder(
        side=side,
        type=kind,
        qty=qty,
        filled_qty=qty,
        price=price,
        fee=abs(qty) * price * 0.0006,
        executed_at=float(time),
        created_at=float(time - HOUR),
        reduce_only=False,
        submitted_via=None,
    )
    return dataclasses.replace(order, **changes)


def a_trade(opened: int, entry: float, exit_: float) -> Trade:
    orders = (
        an_order("buy", "MARKET", 2.0, entry, opened),
        an_order("sell", "LIMIT", -2.0, exit_, opened + HOUR, reduce_only=True, submitted_via="take-profit"),
    )
    fee = orders[0].fee + orders[1].fee
    return Trade(
        symbol="BTC-USDT",
        type="long",
        qty=2.0,
        entry_price=entry,
        exit_price=exit_,
        fee=fee,
        pnl=2.0 * (exit_ - entry) - fee,
        opened_at=float(opened),
        closed_at=float(opened + HOUR),
        leverage=2,
        orders=orders,
    )


def a_run() -> Simulation:
    trades = [a_trade(START + i * 10 * HOUR, 100.0 + i, 101.5 + i) for i in range(3)]
    return Simulation(
        trades=trades,
        daily_balance=[10_000.0, 10_004.5, 10_003.25],
        daily_time=[START, START + 24 * HOUR + 60_000, START + 48 * HOUR],
        starting_balance=10_000.0,
        finishing_balance=10_003.25,
        started_at=START,
        finished_at=START + 48 * HOUR + 60_000,
        order_count=9,
    )


METRICS = {"total": 3, "win_rate": 1.0, "average_loss": NAN, "sortino_ratio": float("inf"), "net_profit": 3.25}


def as_jesse_says_it(run: Simulation, metrics: dict) -> dict:
    answer = dataclasses.asdict(run)
    del answer["log"]
    for fields, trade in zip(answer["trades"], run.trades, strict=True):
        fields["PNL"] = fields.pop("pnl")
        fields["size"] = trade.qty * trade.entry_price
        fields["PNL_percentage"] = trade.pnl / (trade.entry_price * trade.qty / 2) * 100
        fields["holding_period"] = 3600.0
        fields["orders"] = [{**order, "status": "EXECUTED"} for order in fields["orders"]]
    return {**answer, "status": "ok", "metrics": dict(metrics), "seconds": 1.0}


#: What Jesse's process answers when the run was aborted.
FAILED = {"status": "failed", "exception": "KeyError", "message": "'slow'", "time": float(START), "order_count": 0}


def as_simulation(answer: dict) -> Simulation | SimulationError:
    """Turn the answer of Jesse's process into what fastbt would have returned for the same run."""
    if answer["status"] == "failed":
        return SimulationError(answer["message"], exception=answer["exception"], time=int(answer["time"]))
    trades = []
    for fields in answer["trades"]:
        orders = [{k: v for k, v in order.items() if k != "status"} for order in fields["orders"]]
        known = {field.name for field in dataclasses.fields(Trade)} - {"orders", "pnl"}
        trades.append(
            Trade(
                **{k: v for k, v in fields.items() if k in known},
                pnl=fields["PNL"],
                orders=tuple(FilledOrder(**order) for order in orders),
            )
        )
    known = {field.name for field in dataclasses.fields(Simulation)} - {"trades", "log"}
    return Simulation(trades=trades, **{k: v for k, v in answer.items() if k in known})
