"""One strategy that does everything at random, written so that it compiles: the same file runs in all three engines.

Chance is arithmetic on a number that the strategy keeps. Every hook stirs into it what it sees, to the last bit: a
price, a balance, an order that differs anywhere makes all later draws different, and with them every later order. So
equal trades mean equal hook calls, in machine code too, where nothing can be logged.

The seed and all probabilities are hyper-parameters, so that one compilation serves any number of runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from parity.cases import FUTURES, MINUTE, OTHER_SETTLEMENT, SPOT, START, Case, Options, random_candles

MODES = (
    "chaos_cross",
    "chaos_isolated",
    "chaos_spot",
    "chaos_gaps",
    "chaos_timeframes",
    "chaos_two_routes",
)

#: Hyper-parameters and their defaults: probabilities, and distances and sizes as fractions.
PARAMETERS = {
    "seed": 1,
    "enter": 0.5,
    "cancel": 0.5,
    "near": 0.3,
    "entry_distance": 0.002,
    "exit_distance": 0.002,
    "size": 0.02,
    "exit_in_go": 0.4,
    "wrong_side": 0.0,
    "again": 0.2,
    "leave": 0.1,
    "protect": 0.7,
}

_HEAD = '''"""Everything at random: see tests/parity/chaos.py."""

import math

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy, cached


class Chaos(Strategy):
    def __init__(self):
        super().__init__()
        self.state = 0
        self.last_price = 0.0
        self.short = False
        self.smallest = 0.0

    def hyperparameters(self):
        return [
{parameters}
        ]

    # ---- chance

    def stir(self, value):
        """Let every bit of a number count."""
        self.state = (self.state * 69069 + int(value * 1099511627776.0 % 2147483647.0) + 1) % 2147483648

    def draw(self):
        self.state = (self.state * 1103515245 + 12345) % 2147483648
        return self.state / 2147483648

    def chance(self, p):
        return self.draw() < p

    def see(self, code):
        if self.state == 0:
            self.state = self.hp["seed"] * 7919 + 1
        self.stir(code)
        self.stir(self.price)
        self.stir(self.balance)
        self.stir(self.position.qty)
        kind = self.state % 5
        if kind == 0:
            self.stir(self.open)
            self.stir(self.close)
            self.stir(self.high)
            self.stir(self.low)
            self.stir(self.volume)
        elif kind == 1:
            self.stir(self.time)
            self.stir(self.index)
            self.stir(len(self.candles))
            self.stir(self.candles[-1, 2])
            if len(self.candles) > 1:
                self.stir(self.candles[-2, 3])
        elif kind == 2:
            self.stir(self.available_margin)
            self.stir(self.portfolio_value)
            self.stir(self.position.pnl)
            self.stir(self.position.roi)
            self.stir(self.position.value)
            self.stir(self.position.previous_qty)
            self.stir(self.position.current_price)
        elif kind == 3:
            self.stir(self.trades_count + self.increased_count * 100 + self.reduced_count * 10000)
            self.stir(self.last_trade_index)
            self.stir(self.remembered())
        elif self.is_open:
            self.stir(self.position.entry_price)
            self.stir(self.position.total_cost)
            self.stir(self.position.opened_at)
            self.stir(self.average_entry_price)
{isolated}

    def see_order(self, order):
        self.stir(order.price)
        self.stir(order.qty)
        self.stir(order.filled_qty)
        self.stir(order.fee)
        self.stir(order.value)
        if order.reduce_only:
            self.stir(1)
        if order.is_stop_loss:
            self.stir(2)
        if order.is_take_profit:
            self.stir(3)

    @cached
    def remembered(self):
        return self.price + self.index

    # ---- prices and sizes

    def somewhere(self, distance):
        """A price near the market, now and then one that was used before: two orders at one price."""
        if self.last_price > 0 and self.chance(self.hp["again"]):
            return self.last_price
        price = self.price * (1 + (self.draw() - 0.5) * 2 * distance)
        if self.chance(0.5):
            price = math.floor(price * {ticks} + 0.5) / {ticks}
        self.last_price = price
        return price

    def entry(self):
        if self.chance(self.hp["near"]):
            return self.price
        if self.chance(0.1):
            return self.price * (1 + (self.draw() - 0.5) * 0.00028)
        return self.somewhere(self.hp["entry_distance"])

    def size(self, price):
        money = self.available_margin * self.leverage * self.hp["size"] * (0.2 + self.draw())
        qty = money / price
        if self.chance(0.4):
            qty = utils.size_to_qty(money, price, precision=3, fee_rate=self.fee_rate) + 0.001
        self.smallest = min(self.smallest, qty)
        return qty

    def away(self, long, profit):
        """A price at which the position would be left; on the wrong side now and then."""
        distance = self.draw() * self.hp["exit_distance"]
        if self.chance(self.hp["wrong_side"]):
            distance = -distance * 0.3
        price = self.price * (1 + distance) if long == profit else self.price * (1 - distance)
        if self.chance(0.5):
            price = math.floor(price * {ticks} + 0.5) / {ticks}
        return price

    def share(self):
        """How much of the position a point takes."""
        kind = self.draw()
        if kind < 0.5:
            return 1.0
        if kind < 0.9:
            return self.draw() * {most} + 0.01
        return {excess}

    def part(self):
        """How much of the smallest entry an exit takes that is given with it: on the wrong side, none may flip it."""
        return 0.45 * self.draw() + 0.001

    def exit_stop(self, qty):
        long = self.is_long
        kind = self.draw()
        if kind < 0.6:
            self.stop_loss = qty * self.share(), self.away(long, False)
        elif kind < 0.8:
            self.stop_loss = [(qty * 0.4, self.away(long, False)), (qty * 0.6 * {most}, self.away(long, False))]
        elif kind < 0.95:
            self.stop_loss = [
                (qty * 0.2, self.away(long, False)),
                (qty * 0.3, self.away(long, False)),
                (qty * 0.5 * {most}, self.away(long, False)),
            ]
        else:
            self.stop_loss = []

    def exit_profit(self, qty):
        long = self.is_long
        kind = self.draw()
        if kind < 0.6:
            self.take_profit = qty * self.share(), self.away(long, True)
        elif kind < 0.8:
            self.take_profit = ((qty * 0.5, self.away(long, True)), (qty * 0.5 * {most}, self.away(long, True)))
        elif kind < 0.95:
            self.take_profit = [
                (qty * 0.1, self.away(long, True)),
                (qty * 0.2, self.away(long, True)),
                (qty * 0.7 * {most}, self.away(long, True)),
            ]
        else:
            self.take_profit = []

    def exits(self, p):
        if self.is_open and self.chance(p):
            self.exit_stop(abs(self.position.qty))
        if self.is_open and self.chance(p):
            self.exit_profit(abs(self.position.qty))

    def leave(self, p):
        if self.chance(p){unless}:
            self.liquidate()

    # ---- hooks

    def should_long(self):
        self.see(1)
{looks}
        return self.chance(self.hp["enter"]) and not self.short

    def go_long(self):
        self.see(2)
        self.smallest = 1e9
        price = self.entry()
        kind = self.draw()
        if kind < 0.5:
            self.buy = self.size(price), price
        elif kind < 0.8:
            other = self.entry()
            self.buy = [(self.size(price), price), (self.size(other), other)]
        else:
            other = self.entry()
            third = self.entry()
            self.buy = [(self.size(price), price), (self.size(other), other), (self.size(third), third)]
{long_exits}
    def should_cancel_entry(self):
        self.see(3)
        return self.chance(self.hp["cancel"])

    def filters(self):
        return [self.first_filter, self.second_filter]

    def first_filter(self):
        self.see(4)
        return self.chance(0.97)

    def second_filter(self):
        self.see(5)
        self.stir(self.average_entry_price)
        return self.chance(0.97)

    def before(self):
        self.see(6)
        self.short = False
        self.leave(0.01)

    def after(self):
        self.see(7)
        self.leave(0.01)

    def update_position(self):
        self.see(8)
        kind = self.draw()
        if self.chance(self.hp["leave"]){unless}:
            self.liquidate()
        elif kind < 0.4:
            self.exits(self.hp["protect"])
{additions}
        elif kind < 0.54:
            self.stop_loss = []
        elif kind < 0.58:
            self.take_profit = []
        elif kind < 0.6:
            self.stop_loss = None
        elif kind < 0.64 and self.position.pnl > 0:
            self.take_profit = self.position.qty, self.price

    def on_open_position(self, order):
        self.see(9)
        self.see_order(order)
        self.exits(self.hp["protect"])
        self.leave(0.03)

    def on_increased_position(self, order):
        self.see(10)
        self.see_order(order)
        self.exits(self.hp["protect"] * 0.5)

    def on_reduced_position(self, order):
        self.see(11)
        self.see_order(order)
        self.exits(self.hp["protect"] * 0.5)
        self.leave(0.03)

    def on_close_position(self, order, closed_trade):
        self.see(12)
        self.see_order(order)
        self.stir(closed_trade.qty)
        self.stir(closed_trade.entry_price)
        self.stir(closed_trade.exit_price)
        self.stir(closed_trade.pnl)
        self.stir(closed_trade.fee)
        self.stir(closed_trade.roi)
        self.stir(closed_trade.holding_period)

    def on_cancel(self):
        self.see(13)

    def before_terminate(self):
        self.see(14)
        self.exits(0.5)

    def terminate(self):
        self.see(15)
'''

_SHORTS = """
    def should_short(self):
        self.see(16)
        self.short = self.chance(self.hp["enter"])
        return self.short

    def go_short(self):
        self.see(17)
        self.smallest = 1e9
        price = self.entry()
        if self.chance(0.6):
            self.sell = self.size(price), price
        else:
            other = self.entry()
            self.sell = [(self.size(price), price), (self.size(other), other)]
        if self.chance(self.hp["exit_in_go"]):
            self.stop_loss = self.smallest * self.part(), self.away(False, False)
        if self.chance(self.hp["exit_in_go"]):
            self.take_profit = self.smallest * self.part(), self.away(False, True)
"""

_LONG_EXITS = """\
        if self.chance(self.hp["exit_in_go"]):
            self.stop_loss = self.smallest * self.part(), self.away(True, False)
        if self.chance(self.hp["exit_in_go"]):
            self.take_profit = self.smallest * self.part(), self.away(True, True)
"""

_ADDITIONS = """\
        elif kind < 0.46:
            price = self.entry()
            if self.is_long:
                self.buy = self.size(price), price
            else:
                self.sell = self.size(price), price
        elif kind < 0.5:
            if self.is_long:
                self.buy = None
            else:
                self.sell = []"""

_ISOLATED = """\
            self.stir(self.position.liquidation_price)
            self.stir(self.position.bankruptcy_price)"""

_LOOKS = """\
        if len(self.candles) > 20:
            self.stir(ta.ema(self.candles, 9))
            self.stir(ta.rsi(self.candles, 7))"""

_LARGER = """
        {name} = self.get_candles(self.exchange, self.symbol, "{timeframe}")
        self.stir({name}[-1, 1])
        self.stir({name}[-1, 2])
        self.stir({name}[-1, 3])
        self.stir({name}[-1, 4])
        self.stir({name}[-1, 5])
        self.stir({name}[-2, 2])
        self.stir(ta.sma({name}, 5))"""

_BROADCASTS = """
    def on_route_open_position(self, strategy):
        self.heard(20)

    def on_route_close_position(self, strategy):
        self.heard(21)

    def on_route_increased_position(self, strategy):
        self.heard(22)

    def on_route_reduced_position(self, strategy):
        self.heard(23)

    def on_route_canceled(self, strategy):
        self.heard(24)

    def heard(self, code):
        self.see(code)
        self.exits(0.15)
"""


def source(*, spot: bool = False, isolated: bool = False, larger: tuple[str, ...] = (), routes: bool = False) -> str:
    """Return the strategy as text, with the parts that a kind of account and of routes allows.

    Parameters
    ----------
    spot : bool
        No shorts, and no exits before there is a position.
    isolated : bool
        Look at liquidation and bankruptcy price, which are NaN elsewhere.
    larger : tuple of str
        Other timeframes of the symbol to look at.
    routes : bool
        Listen to what other routes do.
    """
    parameters = "\n".join(
        f'            {{"name": "{key}", "type": {type(value).__name__}, "min": 0, "max": 1, "default": {value!r}}},'
        for key, value in PARAMETERS.items()
    )
    looks = _LOOKS + "".join(_LARGER.format(name=f"rows_{timeframe}", timeframe=timeframe) for timeframe in larger)
    text = _HEAD.format(
        parameters=parameters,
        isolated=_ISOLATED if isolated else "",
        # Of the second route, prices are small: a stop and a target on one tick would be refused.
        ticks="10000.0" if routes else "100.0",
        most="0.98" if spot else "1.0",
        excess="0.5" if spot else "1.0 + self.draw()",
        looks=looks,
        # At a loss, spot refuses to sell at market what a target holds reserved.
        unless=" and (self.position.pnl > 0 or self.chance(0.02))" if spot else "",
        long_exits="" if spot else _LONG_EXITS,
        additions="" if spot else _ADDITIONS,
    )
    return text + ("" if spot else _SHORTS) + (_BROADCASTS if routes else "")


def make_case(mode: str, seed: int) -> Case:
    """Return the case of a mode and seed: many trades, on short bars."""
    rng = np.random.default_rng([100 + MODES.index(mode), seed])
    kind = mode.removeprefix("chaos_")
    spot = kind == "spot" or (kind == "gaps" and rng.random() < 0.2)
    isolated = kind == "isolated" or (kind in ("gaps", "timeframes") and not spot and rng.random() < 0.3)
    timeframe = str(rng.choice(["1m", "3m", "5m", "15m"], p=[0.35, 0.2, 0.35, 0.1]))
    routes: tuple[tuple[str, str], ...] = (("BTC-USDT", timeframe),)
    larger: tuple[str, ...] = ()
    data_routes: tuple[tuple[str, str], ...] = ()
    if kind == "timeframes":
        # One pair of them for all cases, and so one compilation.
        larger = ("30m", "2h")
        data_routes = tuple(("BTC-USDT", each) for each in larger)
    elif kind == "two_routes":
        routes = (*routes, ("ETH-USDT", str(rng.choice(["1m", "3m", "5m"]))))
    n_minutes = int(rng.integers(400, 1200) if kind == "two_routes" else rng.integers(800, 2400))
    n_minutes *= 2 if timeframe == "15m" else 1
    n_warmup = 2880 if larger or rng.random() < 0.8 else 0
    shape = {
        "volatility": float(rng.choice([0.0005, 0.002])),
        "wick": float(rng.choice([0.0002, 0.002])),
        "gap": float(rng.choice([0.001, 0.004])) if kind == "gaps" else float(rng.choice([0.0, 0.0008])),
        "decimals": 2 if rng.random() < 0.7 else None,
    }
    candles, warmup = {}, {}
    for symbol, _ in routes:
        price = {"BTC-USDT": 100.0, "ETH-USDT": 20.0}[symbol]
        rows = random_candles(rng, n_warmup + n_minutes, START - n_warmup * MINUTE, price=price, **shape)
        candles[symbol] = rows[n_warmup:]
        if n_warmup:
            warmup[symbol] = rows[:n_warmup]
    config: dict[str, Any] = {
        "starting_balance": float(rng.choice([10_000, 4321.987, 123_456.789])),
        "fee": float(rng.choice([0.0, 0.0006, 0.001])),
        "type": "spot" if spot else "futures",
        "exchange": SPOT,
        "warm_up_candles": int(rng.choice([0, 20, 240])),
    }
    if not spot:
        config["exchange"] = OTHER_SETTLEMENT if rng.random() < 0.05 and kind == "two_routes" else FUTURES
        config["futures_leverage"] = int(rng.choice([25, 50, 75, 100] if isolated else [1, 2, 10]))
        config["futures_leverage_mode"] = "isolated" if isolated else "cross"
    distance = float(rng.choice([0.03, 0.1])) if isolated else float(rng.choice([0.001, 0.003, 0.01]))
    hyperparameters = {
        **PARAMETERS,
        "seed": seed,
        "enter": float(rng.choice([0.4, 0.8, 0.95])),
        "cancel": float(rng.choice([0.2, 0.6, 0.9])),
        "near": float(rng.choice([0.2, 0.6, 0.9])),
        "entry_distance": float(rng.choice([0.001, 0.003, 0.01])),
        "exit_distance": distance,
        "size": float(rng.choice([0.005, 0.02])),
        "exit_in_go": float(rng.choice([0.0, 0.4, 0.8])),
        "wrong_side": 0.0 if spot else float(rng.choice([0.0, 0.0, 0.1])),
        "again": float(rng.choice([0.0, 0.3])),
        "leave": 0.01 if isolated else float(rng.choice([0.1, 0.3])),
        "protect": float(rng.choice([0.05, 0.3])) if isolated else 0.7,
    }
    text = source(spot=spot, isolated=isolated, larger=larger, routes=len(routes) > 1)
    return Case(mode, seed, config, routes, data_routes, candles, warmup, Options(), text, hyperparameters)
