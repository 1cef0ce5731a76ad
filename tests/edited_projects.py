"""Run a strategy, edit a file of its project, run it again: what is told is the new file's, never what was kept.

`python tests/edited_projects.py CASE ...` prints one JSON object: for each case the finishing balance before the edit,
after it, and of a project that was written like that in the first place.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402  the folder of the tests must be on the path first
from candle_generators import make_candles  # noqa: E402

from fastbt.backtest import Session, Setup  # noqa: E402
from fastbt.engine.account import Account  # noqa: E402

STRATEGY = """
import custom_indicators as cta
import helpers
import jesse.indicators as ta
from base import Base
from jesse.strategies import Strategy


class Edited(Base, Strategy):
    def should_long(self):
        return self.index % 7 == 1 and cta.level(self.candles, 3) < self.price * 2

    def go_long(self):
        self.buy = helpers.size(self.index % 5), self.price

    def update_position(self):
        if cta.steps(self.index) > self.wait:
            self.liquidate()
"""
FILES = {
    "strategies/Edited/__init__.py": STRATEGY,
    "helpers.py": "FACTOR = 1\n\n\ndef size(n):\n    return 1 + n * FACTOR\n",
    "base.py": "class Base:\n    wait = 4\n",
    "custom_indicators/__init__.py": "from .levels import level\nfrom .steps import steps\n",
    "custom_indicators/levels.py": """
import numpy as np  # noqa: E402  the folder of the tests must be on the path first


def level(candles, period):
    return float(np.mean(candles[-period:, 2]))
""",
    "custom_indicators/steps.py": """
from numba import njit

from .inner import within


@njit
def steps(index):
    return within(index) % 6
""",
    "custom_indicators/inner.py": """
from numba import njit


@njit
def within(index):
    return index + 0
""",
}
#: The file, what stands there, and what it becomes.
EDITS = {
    "strategy": ("strategies/Edited/__init__.py", "% 7 == 1", "% 9 == 2"),
    "helper function": ("helpers.py", "1 + n * FACTOR", "2 + n * FACTOR"),
    "helper constant": ("helpers.py", "FACTOR = 1", "FACTOR = 3"),
    "base class": ("base.py", "wait = 4", "wait = 2"),
    "own indicator": ("custom_indicators/levels.py", "candles[-period:, 2]))", "candles[-period:, 2])) * 2.001"),
    "compiled function": ("custom_indicators/steps.py", "% 6", "% 8"),
    "what a compiled function calls": ("custom_indicators/inner.py", "index + 0", "index + 2"),
}


def write(folder: Path) -> None:
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def edit(folder: Path, case: str) -> None:
    name, old, new = EDITS[case]
    text = (folder / name).read_text()
    assert text.count(old) == 1, (case, old)
    (folder / name).write_text(text.replace(old, new))


def balance(folder: Path) -> float:
    minutes = make_candles(2400)
    setup = Setup.from_arrays(Account(warm_up_candles=10), "BTC-USDT", "5m", minutes[300:], minutes[:300])
    simulation, _ = Session(folder / "strategies/Edited", setup).run()
    assert len(simulation.trades) > 3
    assert np.isfinite(simulation.finishing_balance)
    return simulation.finishing_balance


def main(cases: list[str]) -> int:
    report = {}
    for case in cases or EDITS:
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            write(Path(first))
            before = balance(Path(first))
            edit(Path(first), case)
            after = balance(Path(first))
            write(Path(second))
            edit(Path(second), case)
            report[case] = [before, after, balance(Path(second))]
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
