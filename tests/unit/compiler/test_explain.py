"""`fastbt compile --explain`: stages, series, state, and what others say of the kernel."""

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
    self.vars["line"] = None

def hyperparameters(self):
    return [{"name": "n", "type": int, "min": 2, "max": 9, "default": 4}]

def before(self):
    self.seen += 1
    self.vars["line"] = self.price * 2

def should_long(self):
    average = ta.sma(self.candles, self.hp["n"] * 2)
    spread = np.abs(self.candles[:, 3] - self.candles[:, 4])
    wide = spread[-1] > 3
    return wide and average > self.price and self.balance > 100 and len(LEVELS) > 2
"""


@pytest.fixture
def compiled(tmp_path):
    file = tmp_path / "Explained.py"
    file.write_text(strategy_text(BODY))
    return CompiledStrategy(load_strategy(file), Account())


def stages(explanation):
    return {text: stage for line in explanation.lines for stage, text in line.expressions}


def test_stages__are_the_earliest_at_which_a_part_is_known(compiled):
    found = stages(explain(compiled))
    assert found["ta.sma(self.candles, self.hp['n'] * 2)"] == "market"
    assert found["self.hp['n'] * 2"] == "config"
    assert found["np.abs(self.candles[:, 3] - self.candles[:, 4])"] == "market"
    assert found["spread[-1] > 3"] == "bar"
    assert found["self.price * 2"] == "bar"
    assert found["wide and average > self.price and (self.balance > 100) and (len(LEVELS) > 2)"] == "run"
    assert found["average > self.price"] == "bar"


def test_lines__stand_beside_their_source(compiled):
    explanation = explain(compiled)
    text = str(explanation)
    for line in explanation.lines:
        assert line.file.read_text().splitlines()[line.number - 1] == line.text
        assert f"{line.number:5}  {line.text}" in text


def test_series_and_state__are_listed(compiled):
    explanation = explain(compiled)
    assert ("ta.sma(candles, hp['n'] * 2)", "over the last 240 candles of each bar") in explanation.series
    assert ("np.abs(self.candles[:, 3] - self.candles[:, 4])", "Python, once over all candles") in explanation.series
    assert ("self.seen", "int") in explanation.state
    assert ("self.vars['line']", "float or None") in explanation.state
    assert explanation.to_dict()["state"][0] == {"name": "self.seen", "type": "int"}


def test_kernel__tells_which_bars_are_skipped(compiled):
    explanation = explain(compiled)
    plain = "plain trades, one entry at the market closed as a whole, are played without an order table"
    apart = "many sets are played one by one: entries are not on a list made for all sets"
    assert explanation.kernel == [
        "every bar runs the strategy's hooks: they may act, or change a variable, on any bar",
        plain,
        apart,
    ]
    assert str(explanation).endswith(f"Kernel\n  {explanation.kernel[0]}\n  {plain}\n  {apart}")
    crossover = CompiledStrategy(load_strategy("strategies/SmaCrossover"), Account())
    assert explain(crossover).kernel == [
        "without orders or position: bars are skipped but those of a list made once for all sets with the same "
        "ta.sma(candles, hp['fast_period'], sequential=True), ta.sma(candles, hp['slow_period'], sequential=True)",
        "while an entry waits: every bar runs the strategy's hooks",
        "in a position: bars are skipped until an order is touched",
        "answered with that list: 2 conditions of the market",
        plain,
        "many sets are played side by side, eight in the same instructions: "
        "what prices do from bar to bar of a list is found once for its sets",
    ]


def test_explaining__changes_nothing_of_the_kernels(compiled):
    before = compiled.text
    explain(compiled)
    again = CompiledStrategy(compiled.source, Account())
    assert again.text == before
    assert compiled.program.stages is None
