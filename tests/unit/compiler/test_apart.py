"""Why sets of a strategy are played side by side or one by one: what `--explain` says of it."""

import pytest
from compiled_snippets import strategy_text

from fastbt.compiler.explain import explain
from fastbt.compiler.load import load_strategy
from fastbt.compiler.program import CompiledStrategy
from fastbt.engine.account import Account

BODY = """
def __init__(self):
    super().__init__()
    self.seen = 0

def should_long(self):
    return self.price > ta.sma(self.candles, 9)

def go_long(self):
    self.buy = 1, self.price
"""
OPEN = """
def on_open_position(self, order):
    self.stop_loss = 1, order.price * 0.99
"""
LEAVE = """
def update_position(self):
    if self.price < ta.sma(self.candles, 5):
        self.liquidate()
"""
CLOSED = """
def on_close_position(self, order, closed_trade):
    self.seen += closed_trade.pnl > 0
"""
NAMED = """
def hyperparameters(self):
    return [{"name": "exit_params", "type": float, "min": 0.9, "max": 1.0, "default": 0.98}]
"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BODY, ""),
        (NAMED + BODY + OPEN.replace("0.99", "self.hp['exit_params']"), ""),
        (BODY + OPEN + LEAVE + CLOSED, ""),
        (BODY.replace("self.price > ta", "self.index > self.seen and self.price > ta"), ""),
        (
            BODY.replace("self.price > ta.sma(self.candles, 9)", "self.trades_count % 2 == 0"),
            "entries are not on a list",
        ),
        (BODY + "\ndef update_position(self):\n    self.seen += 1\n", "run on every bar of a position"),
        (BODY + CLOSED.replace("closed_trade.pnl", "order.price"), "on_close_position looks at an order or a trade"),
        (
            BODY + LEAVE.replace("self.liquidate()", "self.stop_loss = 1, self.price * 0.98"),
            "update_position looks at orders",
        ),
        (BODY + CLOSED.replace("closed_trade.pnl > 0", "self.stop_loss is None"), "on_close_position looks at orders"),
        (BODY + OPEN.replace("order.price", "self.buy[0][1]"), "on_open_position looks at the entry"),
        (
            BODY.replace("self.seen = 0", "self.seen = []")
            + CLOSED.replace("self.seen += closed_trade.pnl > 0", "self.seen.append(1)"),
            "a variable is a list",
        ),
    ],
)
def test_kernel__tells_whether_sets_go_side_by_side(body, reason, tmp_path):
    file = tmp_path / "Apart.py"
    file.write_text(strategy_text(body))
    compiled = CompiledStrategy(load_strategy(file), Account())
    (line,) = (each for each in explain(compiled).kernel if each.startswith("many sets"))
    if reason:
        assert line.startswith("many sets are played one by one: ") and reason in line
    else:
        assert line.startswith("many sets are played side by side, eight in the same instructions: ")
    assert ("def run_segments(" in compiled.text) is not bool(reason)
