"""What samplers find and cost: the tables of searches in bench/README.md.

python bench/search_samplers.py found --seeds 10 --trials 2000    what each finds, beside Jesse's random search
python bench/search_samplers.py cost --trials 2000                what a trial costs, in sampler and kernel
python bench/search_samplers.py long                              10,000 trials; 24 windows; a batch
python bench/search_samplers.py noise --seeds 100                 p-values of walk-forwards on random walks
"""

from __future__ import annotations

import argparse
import json
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


def found(args: argparse.Namespace) -> None:
    """Print the best in-sample Sharpe ratio of each sampler and seed."""
    from fastbt.sweep import make_session

    for name in args.strategies:
        session = make_session(ROOT / "strategies" / name, "BTC-USD", args.timeframe)
        for seed in range(args.seeds):
            base = jesse_random(session, args.trials, seed)
            say(strategy=name, seed=seed, sampler="jesse", best=base)
            for sampler in args.samplers:
                began = time.perf_counter()
                result = optimize(session, sampler=sampler, trials=args.trials, seed=seed)
                seconds = time.perf_counter() - began
                say(
                    strategy=name, seed=seed, sampler=sampler, best=result.best_value, jesse=base,
                    better=result.best_value >= base, distinct=len(result) - result.counts["repeated"],
                    seconds=round(seconds, 2), sampler_ms=round(1e3 * result.seconds["sampler"] / len(result), 3),
                    kernel_ms=round(1e3 * (result.seconds["series"] + result.seconds["kernels"]) / len(result), 3),
                )  # fmt: skip


def cost(args: argparse.Namespace) -> None:
    """Print what a trial costs, by sampler."""
    from fastbt.sweep import make_session

    session = make_session(ROOT / "strategies" / "SmaCrossover", "BTC-USD", args.timeframe)
    optimize(session, sampler="random", trials=64)
    for sampler in ("tpe", "cmaes", "nsga2", "nsga3", "qmc", "halton", "random", "grid"):
        result = optimize(session, sampler=sampler, trials=args.trials)
        seconds = {key: round(1e3 * value / len(result), 4) for key, value in result.seconds.items()}
        say(sampler=sampler, trials=len(result), ms_a_trial=seconds)


def jesse_seconds(timeframe: str, n: int = 3) -> float:
    """Return the seconds of one backtest of the year in Jesse (step mode), measured; NaN without Jesse."""
    from fastbt.oracle import JesseProcess, jesse_available

    if not jesse_available():
        return float("nan")
    with JesseProcess() as process:
        strategy = ROOT / "strategies" / "SmaCrossover"
        report = fastbt.verify(strategy, "BTC-USD", timeframe=timeframe, n=n, process=process)
    assert report.identical
    return report.seconds_jesse / n


def long(args: argparse.Namespace) -> None:
    """Print the seconds of three long searches."""
    strategy = ROOT / "strategies" / "SmaCrossover"
    optimize(strategy, "BTC-USD", timeframe="1h", sampler="random", trials=64)  # compiled before the clock
    began = time.perf_counter()
    result = optimize(strategy, "BTC-USD", timeframe="1h", sampler="nsga2", trials=10_000)
    say(what="10,000 trials, nsga2", seconds=time.perf_counter() - began, **result.seconds)
    began = time.perf_counter()
    walked = walk_forward(
        strategy, "BTC-USD", timeframe="1h", in_sample=90, out_of_sample=10.5, step=10.5, purge=0, embargo=0,
        sampler="nsga2", trials=500,
    )  # fmt: skip
    say(what=f"walk-forward, {len(walked)} windows x 500", seconds=time.perf_counter() - began, **walked.seconds)
    began = time.perf_counter()
    batch = backtest_batch(strategy, ["BTC-USD", "ETH-USD"], timeframe=["1h", "2h", "4h"], n=500)
    say(what="batch 2 x 3 x 500", seconds=time.perf_counter() - began, backtests=len(batch), **batch.seconds)
    each = jesse_seconds("1h")
    say(what="Jesse, one year", seconds=each, ten_thousand_hours=each * 10_000 / 3600)


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
    parser.add_argument("what", choices=["found", "cost", "long", "noise"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--timeframe", default="1h")
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--samplers", nargs="+", default=list(SAMPLERS))
    parser.add_argument("--folder", default="build/search")
    args = parser.parse_args()
    print(f"fastbt {fastbt.__version__}", file=sys.stderr)
    {"found": found, "cost": cost, "long": long, "noise": noise}[args.what](args)


if __name__ == "__main__":
    main()
