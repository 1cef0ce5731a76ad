"""Parts of strategies, run compiled (as plain Python) and interpreted, each against the other.

Run from anywhere: `python tests/compiled_snippets.py [NAME ...] [--show] [--compiled]` prints one JSON object, name to
difference; with `--compiled` what runs is machine code, after some 10 s for each. `--write` writes the generated code
of the named cases, or of those that have an `output;`, into the fixture files.
The tests read it; a process of its own is needed because kernels are compiled in theirs.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import tempfile
import textwrap
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numba import typeof

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))

HEAD = """import math

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy, cached

LEVELS = (0, 3, 5)


class Snippet(Strategy):
"""

#: What a snippet does not define itself.
DEFAULTS = {
    "should_long": """
        def should_long(self):
            return self.index % 7 == 1
    """,
    "go_long": """
        def go_long(self):
            self.buy = 1, self.price
    """,
    "update_position": """
        def update_position(self):
            if self.index % 5 == 4:
                self.liquidate()
    """,
}


def fixture_cases(file: Path) -> dict[str, dict[str, str]]:
    """Return the cases of a fixture file: `-- name`, then sections with their texts.

    `input;` must be there; `output;` is the code to be generated. `account;` holds arguments of `make_setup`, and
    `hyperparameters;` a set of them, as JSON.
    """
    cases: dict[str, dict[str, str]] = {}
    name = section = ""
    for line in file.read_text().splitlines():
        if line.startswith("-- "):
            name, section = line[3:].strip(), ""
            assert name not in cases, f"{file}: {name} twice"
            cases[name] = {}
        elif line.strip() in ("account;", "hyperparameters;", "input;", "output;"):
            section = line.strip().rstrip(";")
            cases[name][section] = ""
        elif section:
            cases[name][section] += line + "\n"
    return {key: {part: text.strip("\n") for part, text in case.items()} for key, case in cases.items()}


def strategy_text(body: str) -> str:
    """Return a whole strategy around some of its methods."""
    parts = [textwrap.dedent(text) for name, text in DEFAULTS.items() if f"def {name}(" not in body]
    return HEAD + textwrap.indent("\n".join([*parts, textwrap.dedent(body)]), "    ")


def make_setup(timeframe: str = "5m", n: int = 600, **account: Any) -> Any:
    """Return a small market with gaps; the same for all snippets."""
    from strategy_generators import START, make_minutes

    from fastbt.backtest import Setup
    from fastbt.engine.account import Account
    from fastbt.types import Mode

    minutes = make_minutes(np.random.default_rng(5), n, START)
    settings = {"leverage": 3, "warm_up_candles": 30, **account}
    if "mode" in settings:
        settings["mode"] = Mode[settings["mode"]]
    return Setup.from_arrays(Account(**settings), "BTC-USDT", timeframe, minutes, np.empty((0, 6)))


def generated_methods(text: str) -> str:
    """Return the part of a generated module that comes from the strategy, without the machine and the imports."""
    body = text[text.index("# Market series:") : text.index("# --- machine ---")]
    kept = [part for part in body.split("\n\n\n") if '"""Jesse\'s default."""' not in part]
    # Where a method stands in the file of the moment is of no interest.
    return re.sub(r"snippet_\d+\.py:\d+ ", "", "\n\n\n".join(part.strip("\n") for part in kept))


def write_outputs(report: dict[str, dict[str, str]], wanted: list[str]) -> None:
    """Bring the `output;` of the fixtures up to date, and give one to the named cases that have none."""
    for file in sorted((HERE / "fixtures" / "compiler").glob("*.txt")):
        parts = []
        for name, case in fixture_cases(file).items():
            found = report.get(f"{file.stem}: {name}")
            if found is not None and ("output" in case or wanted):
                case["output"] = found["text"]
            sections = "\n".join(f"{key};\n{text}" for key, text in case.items())
            parts.append(f"-- {name}\n{sections}\n")
        file.write_text("\n".join(parts))


def difference_of(case: dict[str, str], folder: Path, name: str) -> tuple[str, str]:
    """Return how the compiled run of a snippet differs from the interpreted one, and the generated text."""
    from fuzz_compiled import first_difference, outcome_of, walking

    from fastbt.backtest import Session
    from fastbt.errors import FastbtError

    file = folder / f"{name}.py"
    file.write_text(strategy_text(case["input"]))
    setup = make_setup(**json.loads(case.get("account", "{}")))
    session = Session(file, setup)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sets = json.loads(case.get("hyperparameters", "null"))
        theirs = outcome_of(lambda: session.run_interpreted(sets))
        signal.alarm(120)  # a loop that never ends must not end the tests
        try:
            compiled, _ = session.runner_for(sets or session.source.defaults)
            # What plain Python does not mind: records that machine code cannot hold.
            typeof(np.zeros(1, compiled.variables_dtype))
            ours = outcome_of(lambda: session.run(sets))
            if walked := first_difference(outcome_of(lambda: Session(session.source, walking(setup)).run(sets)), ours):
                return f"walking every minute: {walked}", ""
        except FastbtError as error:
            return f"refused: {error}", ""
        except Exception as error:
            return f"crashed: {type(error).__name__}: {error}", ""
        finally:
            signal.alarm(0)
    text = generated_methods(compiled.text)
    for each in (ours, theirs):
        each.pop("metrics", None)
        each.pop("message", None)
    if ours.keys() != theirs.keys():
        return f"compiled {str(ours)[:200]}; interpreted {str(theirs)[:200]}", text
    if not theirs.get("trades", True):
        return "nothing was traded", text
    return first_difference(ours, theirs) or "", text


def all_snippets() -> dict[str, dict[str, str]]:
    """Return every snippet of the fixture files, by file and name."""
    files = sorted((HERE / "fixtures" / "compiler").glob("*.txt"))
    return {f"{file.stem}: {name}": case for file in files for name, case in fixture_cases(file).items()}


def _too_long(*_: object) -> None:
    raise TimeoutError("a run of 120 bars took more than two minutes")


def main(arguments: list[str]) -> int:
    """Run the snippets whose names contain one of the arguments, or all of them."""
    from fuzz_compiled import run_as_python

    show = "--show" in arguments
    wanted = [each for each in arguments if not each.startswith("--")]
    signal.signal(signal.SIGALRM, _too_long)
    if "--compiled" not in arguments:
        run_as_python()
    report: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for i, (name, case) in enumerate(all_snippets().items()):
            if wanted and not any(each in name for each in wanted):
                continue
            difference, text = difference_of(case, Path(folder), f"snippet_{i}")
            report[name] = {"difference": difference, "text": text}
            if show:
                print(f"=== {name}\n{text}\n{difference or 'equal'}")
    if "--write" in arguments:
        write_outputs(report, wanted)
    elif not show:
        print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
