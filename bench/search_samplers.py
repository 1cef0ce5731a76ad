"""What samplers find and cost: the tables of searches in bench/README.md.

python bench/search_samplers.py found --seeds 10 --trials 2000    what each finds, beside Jesse's random search
python bench/search_samplers.py whole                             the best of all sets of each space
python bench/search_samplers.py cost --trials 2000                what a trial costs, in sampler and kernel
python bench/search_samplers.py long                              10,000 trials; 24 windows; a batch
python bench/search_samplers.py noise --seeds 100                 p-values of walk-forwards on random walks
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import fastbt
from fastbt.search import backtest_batch, optimize, walk_forward

ROOT = Path(__file__).resolve().parent.parent
STRATEGIES = ("SmaCrossover", "DonchianBreakout", "RsiMeanReversion")
SAMPLERS = ("tpe", "cmaes", "nsga2")


def say(**row: object) -> None:
    """Print a row as JSON, and keep it out of the pipe's buffer."""
    print(json.dumps(row), flush=True)


def jesse_random(session, trials: int, seed: int) -> float:
    """Return the best Sharpe ratio of Jesse's search: uniform draws, with repetition, of `_generate_trial_params`."""
    from fastbt.sweep import Evaluator, Space

    random = np.random.default_rng(seed)
    space = Space.of(session.source.hyperparameters)
    columns = {each.name: each.column_at(random.random(trials)) for each in space.dimensions}
    with Evaluator(session) as evaluator:
        return float(np.nanmax(evaluator.run(columns).column("sharpe_ratio")))


def whole(args: argparse.Namespace) -> None:
    """Print how many sets each space has, and the best of all of them."""
    from fastbt.sweep import Evaluator, Space, make_session

    for name in args.strategies:
        session = make_session(ROOT / "strategies" / name, "BTC-USD", args.timeframe)
        space = Space.of(session.source.hyperparameters)
        sizes = [each.size for each in space.dimensions]
        best, n = -np.inf, int(np.prod(sizes))
        with Evaluator(session) as evaluator:
            for first in range(0, n, 8192):
                places = np.unravel_index(np.arange(first, min(first + 8192, n)), sizes)
                columns = {each.name: each.column(at) for each, at in zip(space.dimensions, places, strict=True)}
                best = max(best, float(np.nanmax(evaluator.run(columns).column("sharpe_ratio"))))
        say(strategy=name, sets=n, best=best)


def found(args: argparse.Namespace) -> None:
    """Print the best in-sample Sharpe ratio of each sampler and seed."""
    from fastbt.sweep import make_session

    for name in args.strategies:
        session = make_session(ROOT / "strategies" / name, "BTC-USD", args.timeframe)
        for seed in range(args.first_seed, args.first_seed + args.seeds):
            base = jesse_random(session, args.trials, seed)
            say(strategy=name, seed=seed, sampler="jesse", best=base)
            for sampler in args.samplers:
                began = time.process_time()
                result = optimize(session, sampler=sampler, trials=args.trials, seed=seed)
                seconds = time.process_time() - began
                say(
                    strategy=name, seed=seed, sampler=sampler, best=result.best_value, jesse=base,
                    better=result.best_value > base, trials=len(result), repeated=result.repeated,
                    cpu_seconds=round(seconds, 2),
                )  # fmt: skip


def cost(args: argparse.Namespace) -> None:
    """Print the processor time of a trial, by sampler: what it takes more than random sets is the sampler's own."""
    from fastbt.sweep import make_session

    session = make_session(ROOT / "strategies" / "SmaCrossover", "BTC-USD", args.timeframe)
    optimize(session, sampler="random", trials=64)
    for trials in (args.trials // 4, args.trials):
        random = None
        for sampler in ("random", "grid", "qmc", "halton", "nsga2", "nsga3", "cmaes", "tpe"):
            began = time.process_time()
            result = optimize(session, sampler=sampler, trials=trials)
            each = 1e3 * (time.process_time() - began) / len(result)
            random = each if random is None else random
            say(sampler=sampler, trials=len(result), ms_a_trial=round(each, 3), sampler_ms=round(each - random, 3))


def jesse_seconds(timeframe: str) -> float:
    """Return the processor seconds of one backtest of the year in Jesse (step mode), measured; NaN without Jesse."""
    import resource

    from fastbt.oracle import JesseProcess, jesse_available

    if not jesse_available():
        return float("nan")
    strategy = ROOT / "strategies" / "SmaCrossover"
    spent = []
    # What starting Jesse costs is in both.
    for n in (1, 3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with JesseProcess() as process:
            assert fastbt.verify(strategy, "BTC-USD", timeframe=timeframe, n=n, process=process).identical
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (spent[1] - spent[0]) / 2


def long(args: argparse.Namespace) -> None:
    """Print the seconds of three long searches, on the clock and of the processors, and those of Jesse."""
    strategy = ROOT / "strategies" / "SmaCrossover"
    optimize(strategy, "BTC-USD", timeframe="1h", sampler="random", trials=64)  # compiled before the clock
    searches = {
        "optimize, nsga2, 10,000 trials": lambda: optimize(
            strategy, "BTC-USD", timeframe="1h", sampler="nsga2", trials=10_000
        ),
        "walk-forward, nsga2, 500 trials a window": lambda: walk_forward(
            strategy, "BTC-USD", timeframe="1h", in_sample=90, out_of_sample=10.5, step=10.5, purge=0, embargo=0,
            sampler="nsga2", trials=500,
        ),
        "batch, 2 symbols x 3 timeframes x 500 sets": lambda: backtest_batch(
            strategy, ["BTC-USD", "ETH-USD"], timeframe=["1h", "2h", "4h"], n=500
        ),
    }  # fmt: skip
    for what, search in searches.items():
        clock, began = time.perf_counter(), time.process_time()
        result = search()
        say(
            what=what, n=len(result), seconds=round(time.perf_counter() - clock, 1),
            processor_seconds=round(time.process_time() - began, 1), load=os.getloadavg()[0],
        )  # fmt: skip
    say(what="Jesse, one backtest of the year", processor_seconds=jesse_seconds("1h"), load=os.getloadavg()[0])


def noise(args: argparse.Namespace) -> None:
    """Print the p-values of walk-forwards on random walks, and whether they are uniform."""
    from scipy.stats import kstest

    sys.path.insert(0, str(ROOT / "tests"))
    from searching import MARKET, candles, write_strategy

    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    strategy = write_strategy(folder)
    for planted in (0.0, 0.01):
        values = []
        for seed in range(args.seeds):
            result = walk_forward(
                strategy, candles(90, seed=seed, planted=planted), **MARKET, in_sample=20, out_of_sample=10,
                purge=0, embargo=0, sampler="random", trials=40, resamples=1000,
            )  # fmt: skip
            values.append(result.edge.p_value)
        say(
            planted=planted, seeds=args.seeds, kolmogorov_p=float(kstest(values, "uniform").pvalue),
            below_5_percent=float(np.mean(np.array(values) < 0.05)), median=float(np.median(values)),
        )  # fmt: skip


def main() -> None:
    """Run one of the benches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["found", "whole", "cost", "long", "noise"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--timeframe", default="1h")
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--samplers", nargs="+", default=list(SAMPLERS))
    parser.add_argument("--folder", default="build/search")
    args = parser.parse_args()
    print(f"fastbt {fastbt.__version__}", file=sys.stderr)
    {"found": found, "whole": whole, "cost": cost, "long": long, "noise": noise}[args.what](args)


if __name__ == "__main__":
    main()
