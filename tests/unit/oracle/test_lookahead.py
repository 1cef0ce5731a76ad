"""What was decided earlier does not change with later candles; where it does, the first series and bar are named."""

import pytest
from candle_generators import make_candles
from compiled_snippets import strategy_text

import fastbt
from fastbt.backtest import Session, Setup
from fastbt.engine.account import Account
from fastbt.oracle.lookahead import cut, verify_no_lookahead

pytestmark = pytest.mark.compiled


def session_of(body, folder, *, head="", n=600, warmup=0):
    file = folder / "Run.py"
    file.write_text(strategy_text(body).replace("class Snippet", f"{head}\n\n\nclass Snippet"))
    minutes = make_candles(n + warmup)
    setup = Setup.from_arrays(Account(warm_up_candles=20), "BTC-USDT", "5m", minutes[warmup:], minutes[:warmup])
    return Session(file, setup)


def test_a_strategy__that_looks_at_what_is_visible_passes(tmp_path):
    body = """
    def should_long(self):
        return self.price > ta.ema(self.candles, 5)
    """
    report = verify_no_lookahead(session_of(body, tmp_path), cuts=5, mode="compiled")
    assert report.passed
    assert report.n_cuts == 5 and report.n_series == 5 and report.n_orders > 50
    assert str(report).startswith("NO LOOK-AHEAD: Snippet on BTC-USDT 5m")


#: It shows on longer candles than it is tried on before the run, and only from some time on.
SNEAKY = """
def sneaky(candles):
    closes = candles[:, 2].copy()
    if candles[-1, 0] > LATE:
        closes[57] = closes.max() + 1
    return closes
"""


def test_a_series__that_knows_the_future_is_named_with_its_bar(tmp_path):
    body = """
    def should_long(self):
        return sneaky(self.candles)[-1] > self.candles[-2, 2]
    """
    # Nothing shows before the run: candles that strategies are tried on are from 2017.
    late = session_of(body, tmp_path, head="def sneaky(candles):\n    return candles[:, 2]").setup.market.bars[90, 0]
    session = session_of(body, tmp_path, head=f"LATE = {float(late)}\n\n{SNEAKY}")
    report = verify_no_lookahead(session, cuts=4)
    assert not report.passed
    assert "sneaky(self.candles) looks ahead: at bar 57" in str(report)


def test_decisions__of_interpreted_runs_are_compared(tmp_path):
    # Every run makes the strategy anew, and here each decides other than the one before.
    body = """
    def __init__(self):
        super().__init__()
        RUNS.append(1)

    def should_long(self):
        return self.index % 10 == len(RUNS) % 7
    """
    session = session_of(body, tmp_path, head="RUNS = []")
    report = verify_no_lookahead(session, cuts=2, mode="interpreted")
    assert not report.passed
    assert report.findings[0].what == "a decision"
    assert "with candles until there" in str(report)
    body = "def should_long(self):\n    return self.index % 10 == 3\n"
    assert verify_no_lookahead(session_of(body, tmp_path), cuts=2, mode="interpreted").passed


def test_a_shorter_setup__ends_with_a_bar(tmp_path):
    setup = session_of("", tmp_path).setup
    shorter = cut(setup, 7)
    assert shorter.market.n_bars == 7
    assert shorter.finish == setup.start + 7 * 5 * 60_000


def test_too_few_bars__are_refused(tmp_path):
    with pytest.raises(fastbt.SettingsError, match="three bars or more"):
        verify_no_lookahead(session_of("", tmp_path, n=10), cuts=3)
