"""Parts of strategies that look at other symbols or other routes, compiled (as plain Python) and interpreted.

`python tests/routes_snippets.py [NAME ...]` prints one JSON object: for each name the number of trades, how the runs
differ, and what was refused. The tests read it; a process of its own is needed because kernels are compiled in theirs.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))

HEAD = """
import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy


class Snippet(Strategy):
    @property
    def eth(self):
        return self.get_candles(self.exchange, "ETH-USDT", self.timeframe)

    @property
    def slow(self):
        return self.get_candles(self.exchange, "ETH-USDT", "1h")

    def should_long(self):
        return self.signal() < -1

    def should_short(self):
        return self.signal() > 1

    def go_long(self):
        self.buy = 1, self.price

    def go_short(self):
        self.sell = 1, self.price

    def update_position(self):
        if self.index % 5 == 0:
            self.liquidate()
"""

#: One route on BTC-USDT, 15m; data routes ETH-USDT 15m and 1h.
OTHER_SYMBOLS = {
    "arithmetic of columns": """
    def signal(self):
        spread = np.log(self.candles[-30:, 2]) - np.log(self.eth[-30:, 2])
        return (spread[-1] - spread.mean()) / spread.std()
    """,
    "a column in a name": """
    def signal(self):
        closes = self.eth[:, 2]
        return (closes[-1] - closes[-20:].mean()) / closes[-20:].std()
    """,
    "a window": """
    def signal(self):
        closes = self.eth[-21:-1, 2]
        return (closes[-1] - np.mean(closes)) / np.std(closes)
    """,
    "helpers on arrays": """
    def signal(self):
        return utils.z_score(utils.prices_to_returns(self.eth[-30:, 2])[1:])[-1]
    """,
    "indicators of two markets": """
    def signal(self):
        return ta.beta(self.candles, self.eth, 10) * 2 + ta.rsmk(self.candles, self.eth).indicator * 100
    """,
    "any row": """
    def signal(self):
        total = 0.0
        for i in range(1, 10):
            total += self.eth[-i, 2] - self.eth[-i, 1]
        return total
    """,
    "the first rows": """
    def signal(self):
        return self.eth[-1, 2] - self.eth[0, 2] if self.index % 2 else self.eth[-1][2] - self.eth[5, 1]
    """,
    "how many": """
    def signal(self):
        mine = self.get_candles(self.exchange, self.symbol, "1h")
        minutes = self.get_candles(self.exchange, self.symbol, "1m")[:-1]
        if len(self.eth) < 150 or len(self.slow) != len(mine) or len(minutes) < 2200:
            return 0.0
        return 2.0 if len(self.slow) % 3 == 0 else -2.0
    """,
    "a symbol chosen before the run": """
    def signal(self):
        symbol = "ETH-USDT" if self.symbol == "BTC-USDT" else "BTC-USDT"
        candles = self.get_candles(self.exchange, symbol, "1h")
        return 5.0 if utils.crossed(candles[:, 2], ta.sma(candles, 5, sequential=True), "above") else -5.0
    """,
    "in callbacks, where nothing forms": """
    def signal(self):
        self.vars["limit"] = self.vars.get("limit", 0.0)
        return 2.0 if self.eth[-1, 2] > self.eth[-2, 2] + self.vars["limit"] else -2.0

    def on_open_position(self, order):
        self.vars["limit"] = (self.slow[-1, 2] - self.slow[-2, 2]) / 100 if self.index % 4 == 0 else 0.01

    def on_close_position(self, order, closed_trade):
        self.vars["limit"] = 0.0 if self.index % 4 else ta.ema(self.eth, 5) / 1000
    """,
}

#: Two routes, BTC-USDT 15m and ETH-USDT 5m, of one strategy.
ROUTES = {
    "positions of all": """
    def signal(self):
        other = self.routes[1 - self.current_route_index].strategy
        if other.is_open and other.position.pnl < 0:
            return 0.0
        held = self.all_positions["BTC-USDT"].qty + self.all_positions["ETH-USDT"].qty
        return 2.0 if held + self.index % 2 > 0 else -2.0
    """,
    "a loop over routes": """
    def signal(self):
        value = 0.0
        for route in self.routes:
            if route.symbol != self.symbol:
                value = value + route.strategy.position.value + route.strategy.price / 50
        return 2.0 if value > 2 and self.index % 3 else -2.0
    """,
    "broadcasts": """
    def __init__(self):
        super().__init__()
        self.vars["heard"] = 0

    def signal(self):
        return 2.0 if self.vars["heard"] % 3 else -2.0

    def on_route_open_position(self, strategy):
        self.vars["heard"] = self.vars["heard"] + 1
        if self.is_long and strategy.is_short:
            self.stop_loss = self.position.qty, self.price * 0.998

    def on_route_close_position(self, strategy):
        self.vars["heard"] = self.vars["heard"] + (2 if strategy.symbol == "ETH-USDT" else 5)
        if self.is_open and self.index % 2:
            self.liquidate()

    def on_route_canceled(self, strategy):
        self.vars["heard"] = self.vars["heard"] + 1 if strategy.trades_count % 2 else 0
    """,
    "increased and reduced elsewhere": """
    def signal(self):
        return 2.0 if self.index % 4 > 1 else -2.0

    def on_open_position(self, order):
        if self.is_long:
            self.buy = [(1, order.price), (1, order.price * 0.9995)]
            self.take_profit = [(0.5, self.price * 1.001), (0.5, self.price * 1.002)]

    def on_route_increased_position(self, strategy):
        if self.is_short:
            self.take_profit = abs(self.position.qty), self.price * 0.999

    def on_route_reduced_position(self, strategy):
        if self.is_long:
            self.stop_loss = abs(self.position.qty), self.price * 0.999
    """,
    "variables of all": """
    def signal(self):
        if "losses" not in self.shared_vars:
            self.shared_vars["losses"] = 0
        self.shared_vars["last"] = self.price
        if self.shared_vars.get("last", 0) > self.price or self.shared_vars["losses"] > 3:
            self.shared_vars["losses"] = 0
            return 0.0
        return 2.0 if self.index % 3 else -2.0

    def on_close_position(self, order, closed_trade):
        if closed_trade.pnl < 0:
            self.shared_vars["losses"] += 1
    """,
    "shared money": """
    def signal(self):
        return 2.0 if self.available_margin < self.portfolio_value * 0.999 else -2.0
    """,
}

#: What is refused, and a part of the message.
REFUSED = {
    "variables of another": (
        """
    def signal(self):
        return self.routes[1 - self.current_route_index].strategy.vars["x"]
    """,
        "vars of another route's strategy is not compiled",
    ),
    "a position of no route": (
        """
    def signal(self):
        return self.all_positions["SOL-USDT"].qty
    """,
        "no route trades 'SOL-USDT'",
    ),
    "text in shared variables": (
        """
    def signal(self):
        self.shared_vars["mood"] = "up"
        return 0.0
    """,
        "keep numbers",
    ),
    "candles of another exchange": (
        """
    def signal(self):
        return self.get_candles("Elsewhere", "ETH-USDT", "1h")[-1, 2]
    """,
        "there are candles of 'Binance Perpetual Futures' only",
    ),
}


def run(body: str, folder: Path, name: str, *, routes: bool) -> dict[str, Any]:
    """Return trades, difference and refusal of one snippet."""
    from fuzz_compiled import first_difference, outcome_of
    from route_cases import EXCHANGE, SYMBOLS, make_candles

    from fastbt.backtest import Session, Setup
    from fastbt.engine.account import Account
    from fastbt.errors import CompileError
    from fastbt.routes import RoutesSession, setups_of

    file = folder / f"{name.replace(' ', '_').replace(',', '')}.py"
    file.write_text(HEAD + body)
    account = Account(leverage=3, warm_up_candles=30, exchange=EXCHANGE)
    candles = make_candles(3, SYMBOLS[:2], 3000, 2160)
    session: Any
    if routes:
        traded = [("BTC-USDT", "15m"), ("ETH-USDT", "5m")]
        session = RoutesSession([file, file], setups_of(account, traded, [("ETH-USDT", "1h")], candles))
    else:
        minutes, warmup = candles.pop("BTC-USDT")
        frames = ["ETH-USDT 15m", "ETH-USDT 1h"]
        session = Session(file, Setup.from_arrays(account, "BTC-USDT", "15m", minutes, warmup, frames, candles))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ours = outcome_of(session.run)
        except CompileError as error:
            return {"trades": 0, "difference": "", "refused": error.message}
        theirs = outcome_of(session.run_interpreted)
    for each in (ours, theirs):
        each.pop("metrics", None)
    difference = first_difference(ours, theirs) if ours.keys() == theirs.keys() else f"{ours}; {theirs}"[:500]
    return {"trades": len(theirs.get("trades", [])), "difference": difference or "", "refused": ""}


def main(wanted: list[str]) -> int:
    """Run the named snippets, or all."""
    from fuzz_compiled import run_as_python

    run_as_python()
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        bodies = [(name, body, False) for name, body in OTHER_SYMBOLS.items()]
        bodies += [(name, body, True) for name, body in ROUTES.items()]
        bodies += [(name, body, True) for name, (body, _) in REFUSED.items()]
        for name, body, routes in bodies:
            if not wanted or name in wanted:
                report[name] = run(body, Path(folder), name, routes=routes)
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
