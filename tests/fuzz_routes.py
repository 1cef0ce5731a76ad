"""Random strategies on several routes: the kernel against the reference engine, bit for bit.

As a rule the generated modules run as plain Python; with `--compiled`, as machine code::

    python tests/fuzz_routes.py --seed 1000 --seconds 600
    python tests/fuzz_routes.py --seed 17 --count 1 --show
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz_compiled import Tally, compare_metrics, first_difference, outcome_of, run_as_python


def run_seed(seed: int, tally: Tally, folder: Path, *, show: bool = False, mode: str | None = None) -> None:
    """Run the routes of a seed both ways."""
    from route_cases import make_case, make_session

    from fastbt.errors import CompileError

    tally.seeds += 1
    case = make_case(seed, mode)
    session = make_session(case, folder, f"Seed{seed}")
    if show:
        print(*case.texts, case.account, case.routes, case.data_routes, list(case.candles), sep="\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ours = outcome_of(session.run)
        except CompileError as error:
            tally.refused[re.sub(r"\d+", "N", error.message)] += 1
            return
        theirs = outcome_of(session.run_interpreted)
    ours_message, their_message = ours.pop("message", ""), theirs.pop("message", "")
    if "depends on Python or numpy number types" in ours_message:
        tally.undecided += 1
        return
    metrics = (ours.pop("metrics", {}), theirs.pop("metrics", {}))
    found = (
        first_difference(ours, theirs)
        if ours.keys() == theirs.keys()
        else f"{ours_message or 'completed'}; {their_message or 'completed'}"
    )
    found = found or compare_metrics(*metrics)
    if found:
        about = f"{case.account.mode.name} {case.routes}"
        tally.differences[seed] = f"{about}: {found}\n{ours_message}\n{their_message}"
        return
    if "exception" in theirs:
        tally.exceptions[theirs["exception"] or their_message.split(", at bar")[0][-60:]] += 1
        return
    tally.trades += len(theirs["trades"])
    tally.orders += theirs["order_count"]
    tally.liquidations += theirs["liquidations"]
    tally.idle += len(theirs["trades"]) < 3
    tally.fills.update(order["type"] for trade in theirs["trades"] for order in trade["orders"])


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, print what was compared, and return 1 if anything differed."""
    parser = argparse.ArgumentParser(description="Compare several routes in the kernel with the reference engine.")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--count", type=int, help="stop after so many seeds")
    parser.add_argument("--seconds", type=float, help="stop after so much time")
    parser.add_argument("--mode", choices=["cross", "isolated", "spot"], help="instead of one drawn by the seed")
    parser.add_argument("--compiled", action="store_true", help="machine code: some 40 s a seed")
    parser.add_argument("--show", action="store_true", help="print the strategies")
    options = parser.parse_args(arguments)
    if options.count is None and options.seconds is None:
        parser.error("say when to stop: --count or --seconds")
    if not options.compiled:
        run_as_python()
    tally, began = Tally(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in itertools.count(options.seed):
            if options.count is not None and tally.seeds >= options.count:
                break
            if options.seconds is not None and time.perf_counter() - began > options.seconds:
                break
            try:
                run_seed(seed, tally, Path(folder), show=options.show, mode=options.mode)
            except Exception:
                tally.differences[seed] = traceback.format_exc(limit=-4)
            if seed in tally.differences:
                print(f"seed {seed}: {tally.differences[seed]}", file=sys.stderr, flush=True)
    print(json.dumps({**vars(tally), "seconds": round(time.perf_counter() - began, 1)}))
    return 1 if tally.differences else 0


if __name__ == "__main__":
    sys.exit(main())
