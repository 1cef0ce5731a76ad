"""Strategies as most people sweep them: one entry at the market, a stop-loss, a take-profit, a rule to leave."""

from __future__ import annotations

import random
from typing import Any

from fastbt.engine.account import Mode

_HEAD = """import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class Plain(Strategy):
    def __init__(self):
        super().__init__()
        self.cooldown = -1
        self.held = 0
        self.losses = 0
        self.last_fill = 0.0

    def hyperparameters(self):
        return [
            {"name": "fast", "type": int, "min": 2, "max": 12, "default": 4},
            {"name": "slow", "type": int, "min": 5, "max": 30, "default": 11},
            {"name": "risk", "type": float, "min": 0.0005, "max": 0.02, "default": 0.004},
            {"name": "reward", "type": float, "min": 0.0005, "max": 0.03, "default": 0.006},
            {"name": "share", "type": float, "min": 0.01, "max": 0.9, "default": 0.2},
        ]

    @property
    def fast(self):
        return ta.ema(self.candles, self.hp["fast"])

    @property
    def slow(self):
        return ta.sma(self.candles, self.hp["slow"])

    @property
    def strength(self):
        return ta.rsi(self.candles, self.hp["fast"] + 3)
"""

_UP = [
    "self.fast > self.slow",
    "self.strength < 42",
    "self.close > self.open and self.fast > self.slow",
    "self.strength > 55 and self.index % 3 == 0",
    "self.close < self.slow and self.losses < 6",
]
_DOWN = [
    "self.fast < self.slow",
    "self.strength > 58",
    "self.close < self.open and self.fast < self.slow",
    "self.strength < 45 and self.index % 4 == 1",
    "self.close > self.slow and self.losses < 8",
]
_SIZES = [
    "1",
    "0.25",
    'utils.size_to_qty(self.balance * self.hp["share"], self.price, fee_rate=self.fee_rate)',
    'utils.risk_to_qty(self.available_margin, 1, self.price, self.price * (1 - self.hp["risk"]))',
]
_LEAVE = [
    "",
    "",
    "if self.fast {lt} self.slow:\n    self.liquidate()",
    "if self.strength {gt} 70:\n    self.liquidate()",
    "if self.position.pnl_percentage > 0.6:\n    self.liquidate()",
    "self.held += 1\nif self.held > 9:\n    self.liquidate()",
    "if self.position.pnl > 0 and self.strength {gt} 60:\n"
    '    self.stop_loss = self.position.qty, self.price * (1 {minus} self.hp["risk"] / 2)',
    'self.stop_loss = abs(self.position.qty), self.price * (1 {minus} self.hp["risk"])',
    "if self.index % 7 == 0:\n"
    '    self.take_profit = abs(self.position.qty), self.price * (1 {plus} self.hp["reward"] / 3)',
    "if self.index % 5 == 0:\n    self.take_profit = self.position.qty, self.average_entry_price * (1 {plus} 0.002)",
]


#: Rules to leave that ask the market and the strategy's variables alone, and only close the position.
_LEAVE_TOGETHER = [
    "",
    "if self.fast {lt} self.slow:\n    self.liquidate()",
    "if self.strength {gt} 70:\n    self.liquidate()",
    "if self.strength {gt} 60 and self.price {gt} self.slow:\n    self.held += 1\n    self.liquidate()",
    "if self.fast {lt} self.slow and self.position.pnl > 0:\n    self.liquidate()",
    "if self.strength {gt} 55:\n    self.held += 1\n    if self.held > 2:\n        self.liquidate()",
    "if self.index % 13 == 0 and self.trades_count < 20:\n    self.liquidate()",
]
#: When a stop-loss or take-profit is set, and how far away in multiples: most are always, at one distance.
_SOMETIMES = [
    "self.index % 2 == 0",
    "self.trades_count % 3 > 0",
    "self.losses % 2 == 0",
    "self.strength < 50",
    'self.hp["share"] > 0.4',
    "self.available_margin > 0.9 * self.balance",
]
_MULTIPLES = ["(1 + self.losses % 3)", "(1 + self.index % 2)", '(1 + self.hp["share"])', "(0.5 + self.strength / 100)"]
_CLOSED_TOGETHER = [
    "self.cooldown = self.index + 3",
    "self.losses += 1",
    "self.losses += closed_trade.pnl < 0\nself.cooldown = self.index + (closed_trade.exit_price > 9)",
    "if self.held == 0:\n    self.cooldown = self.index\nself.held = 0",
    "",
]


def make_plain_strategy(seed: int, mode: Mode, *, together: bool = False) -> str:
    """Return the source of the strategy of a seed, for an account of a mode.

    With `together`, it is one whose parameter sets can be played side by side.
    """
    rng = random.Random(seed)
    lines = [_HEAD]
    shorts = mode != Mode.SPOT and rng.random() < 0.7

    def method(name: str, body: str, arguments: str = "") -> None:
        lines.append(f"    def {name}(self{arguments}):\n" + "".join(f"        {each}\n" for each in body.splitlines()))

    waits = rng.random() < 0.4
    guard = "self.index > self.cooldown and " if waits else ""
    up, down = rng.choice(_UP), rng.choice(_DOWN)
    method("should_long", f"return {guard}{up}")
    if shorts:
        method("should_short", f"return {guard}not ({up}) and {down}")
    size, where = rng.choice(_SIZES), rng.choice(["go", "open", "both", "none"])
    has_stop, has_target = rng.random() < 0.85, rng.random() < 0.75
    varied = random.Random(seed + 1)

    def exit_line(line: str) -> str:
        """Return the line that sets an exit; of some strategies that go side by side it is not always the same."""
        if not together or varied.random() < 0.5:
            return line + "\n"
        for name in ("risk", "reward"):
            if varied.random() < 0.4:
                line = line.replace(f'self.hp["{name}"]', f'self.hp["{name}"] * {varied.choice(_MULTIPLES)}')
        return f"if {varied.choice(_SOMETIMES)}:\n    {line}\n" if varied.random() < 0.6 else line + "\n"

    for side, attribute, minus, plus in (("long", "buy", "-", "+"), ("short", "sell", "+", "-")):
        if side == "short" and not shorts:
            continue
        body = f"qty = {size}\nself.{attribute} = qty, self.price\n"
        if where in ("go", "both") and mode != Mode.SPOT:
            if has_stop:
                body += exit_line(f'self.stop_loss = qty, self.price * (1 {minus} self.hp["risk"])')
            if has_target:
                body += exit_line(f'self.take_profit = qty, self.price * (1 {plus} self.hp["reward"])')
        method(f"go_{side}", body)
    if rng.random() < 0.3:
        method("before", rng.choice(["self.held = self.held", "if self.strength > 80:\n    self.losses = 0"]))
    if rng.random() < 0.3:
        method("wide_enough", "return self.high - self.low > 0")
        method("filters", "return [self.wide_enough]")
    opened = "self.held = 0\n"
    if where in ("open", "both"):
        sign = "sign = 1 if self.is_long else -1\n"
        if has_stop:
            opened += sign + exit_line(
                'self.stop_loss = self.position.qty, self.position.entry_price * (1 - sign * self.hp["risk"])'
            )
        if has_target:
            opened += sign + exit_line(
                'self.take_profit = abs(self.position.qty), order.price * (1 + sign * self.hp["reward"])'
            )
    if rng.random() < 0.8 or where == "open":
        method("on_open_position", opened, ", order")
    closed = rng.choice(
        _CLOSED_TOGETHER
        if together
        else [
            "self.cooldown = self.index + 3",
            "self.losses += 1",
            "self.last_fill = order.price\nself.cooldown = self.index",
            "",
        ]
    )
    if closed:
        method("on_close_position", closed, ", order, closed_trade")
    leave = rng.choice(_LEAVE_TOGETHER if together else _LEAVE)
    if leave:
        long_ = leave.format(lt="<", gt=">", minus="-", plus="+")
        short_ = leave.format(lt=">", gt="<", minus="+", plus="-")
        body = long_
        if shorts and long_ != short_:
            body = "if self.is_long:\n" + indented(long_) + "\nelse:\n" + indented(short_)
        method("update_position", body)
    return "\n".join(lines)


def sharing_sets(seed: int, n: int) -> list[dict[str, Any]]:
    """Return hyper-parameters of such a strategy that differ in size and exits alone, some of these equal."""
    rng = random.Random(seed)
    first = plain_sets(seed, 1)[0]
    risks, rewards, shares = ([each[name] for each in plain_sets(seed, n)] for name in ("risk", "reward", "share"))
    few = max(2, n // 3)
    return [
        first | {"risk": rng.choice(risks[:few]), "reward": rng.choice(rewards[:few]), "share": rng.choice(shares)}
        for _ in range(n)
    ]


def indented(text: str) -> str:
    """Return a text a level deeper."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def plain_sets(seed: int, n: int) -> list[dict[str, Any]]:
    """Return random hyper-parameters of such a strategy."""
    rng = random.Random(seed)
    return [
        {
            "fast": rng.randint(2, 12),
            "slow": rng.randint(5, 30),
            "risk": rng.choice([0.0005, 0.002, 0.008]) * (1 + rng.random()),
            "reward": rng.choice([0.0005, 0.003, 0.012]) * (1 + rng.random()),
            "share": rng.uniform(0.01, 0.9),
        }
        for _ in range(n)
    ]
