"""Results of searches as tables for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fastbt.interfaces._terminal import counted, duration
from fastbt.interfaces._views import value_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from fastbt.search.batch_result import BatchResult
    from fastbt.search.optimize_result import OptimizeResult
    from fastbt.search.study_file import StudyFile
    from fastbt.search.walk_forward_result import WalkForwardResult
    from fastbt.search.window_result import EstimateModel
    from fastbt.sweep.result import SweepResult


def _table(headings: list[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for each in headings:
        table.add_column(each, justify="right", overflow="fold")
    return table


def _number(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _about(out: Console, result: Any) -> None:
    market = result.market
    text = f"{market.strategy} on {market.symbol} {market.timeframe}, {market.start[:10]} to {market.finish[:10]}"
    out.print(text, style="bold", markup=False)


def print_optimized(out: Console, result: OptimizeResult, top: int) -> None:
    """Print the best sets or the Pareto front, what became of the others, and what matters."""
    _about(out, result)
    names = [each["name"] for each in result.objectives]
    varied = [each["name"] for each in result.space]
    chosen = result.front[:top] if len(names) > 1 else []
    if len(names) == 1:
        sign = result.goals[0].sign
        complete = [each for each in result.trials if each.state == "complete"]
        chosen = sorted(complete, key=lambda each: (-sign * (each.values or (0.0,))[0], each.number))[:top]
    title = (
        f"Pareto front of {counted(len(result), 'trial')}: {len(result.front):,} sets"
        if len(names) > 1
        else f"The {len(chosen)} best of {counted(len(result), 'trial')} by {names[0]}"
    )
    if chosen:
        out.print(title, markup=False)
        table = _table(["trial", *varied, *names])
        for each in chosen:
            values = [_number(value) for value in each.values or ()]
            table.add_row(str(each.number), *(value_text(each.params[name]) for name in varied), *values)
        out.print(table)
    counts = result.counts
    told = [f"{counts[kind]:,} {kind}" for kind in ("complete", "infeasible", "failed", "repeated") if counts[kind]]
    out.print(f"{', '.join(told)}; ended: {result.stopped}", markup=False)
    reasons: dict[str, int] = {}
    for each in result.trials:
        if each.reason:
            reason = each.reason.split(" at bar ")[0]
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1])[:3]:
        out.print(f"  {count:,} x {reason}", style="yellow", markup=False, soft_wrap=True)
    for name, shares in result.importance.items():
        text = ", ".join(f"{key} {share:.0%}" for key, share in shares.items())
        out.print(f"What {name} depends on: {text}", markup=False, soft_wrap=True)
    seconds = result.seconds
    kernels = seconds.get("series", 0.0) + seconds.get("kernels", 0.0)
    out.print(
        f"{result.request.search.sampler}: {duration(seconds['total'])} (sampler {duration(seconds['sampler'])}, "
        f"backtests {duration(kernels)}, compiling or loading {duration(seconds.get('compile', 0.0))})",
        markup=False,
    )


def _estimate(found: EstimateModel, percent: bool = False) -> str:
    def text(value: float) -> str:
        if math.isnan(value):
            return "-"
        return f"{value:+.3%}" if percent else f"{value:+.3g}"

    return f"{text(found.mean)} ({text(found.low)} to {text(found.high)}), p {_number(found.p_value)}"


def print_walked(out: Console, result: WalkForwardResult) -> None:
    """Print each window, and what they say together."""
    _about(out, result)
    names = [each["name"] for each in result.space]
    metric = result.objective["name"]
    out.print(f"{metric} in and out of sample", markup=False)
    table = _table(["window", "tested from", "to", *names, "in", "out", "trades"])
    for row in result.frame.to_dicts():
        table.add_row(
            str(row["window"]),
            row["test_start"][:10],
            row["test_finish"][:10],
            *(value_text(row[name]) if row[name] is not None else "-" for name in names),
            _number(row["in_sample"]),
            _number(row["out_of_sample"]),
            _number(row["out_total"]),
        )
    out.print(table)
    for each in result.windows:
        if not each.status == "ok":
            out.print(f"window {each.number}: {each.status}", style="yellow", markup=False, soft_wrap=True)
    share = "-" if result.efficiency is None else f"{result.efficiency:.0%}"
    lines = [
        ("gap", f"{result.purge_days:g} days of purge and {result.embargo_days:g} of embargo"),
        ("out of sample", f"{result.total_return:+.2%} in all, one window after another"),
        ("a day", f"{_estimate(result.edge, percent=True)}: is there an edge?"),
        ("efficiency", f"{share} of the in-sample growth is left"),
        ("degradation", f"{_estimate(result.degradation)}: is {metric} worse out of sample?"),
        ("decay", f"{_estimate(result.decay, percent=True)} with each day since the fit"),
    ]
    for name, moves in result.stability.items():
        spread = "" if moves.spread is None else f", spread {moves.spread:.2f} (1: as if random)"
        lines.append((name, f"changes in {moves.changed:.0%} of the windows{spread}"))
    for what, text in lines:
        out.print(f"  {what:<16}{text}", markup=False, soft_wrap=True)
    out.print(f"{counted(len(result), 'window')} in {duration(result.seconds['total'])}; ended: {result.stopped}")


def print_batch(out: Console, result: BatchResult, by: str, top: int) -> None:
    """Print the comparison matrix, the best, and what failed."""
    metric = result.request.metric
    matrix = result.matrix(by=by)
    if matrix.height:
        out.print(f"{by} {metric}", markup=False)
        table = _table(list(matrix.columns))
        for row in matrix.iter_rows():
            table.add_row(*(_number(value) for value in row))
        out.print(table)
    best = result.best(n=top)
    if best.height and top:
        out.print(f"The {best.height} best of {len(result):,} backtests", markup=False)
        table = _table([])
        for each in ("strategy", "symbol", "timeframe", "start", "finish", "set", metric):
            table.add_column(each, justify="right")
        for found in best.to_dicts():
            dates = (found["start"][:10], found["finish"][:10])
            table.add_row(
                found["strategy"],
                found["symbol"],
                found["timeframe"],
                *dates,
                str(found["set"]),
                _number(found[metric]),
            )
        out.print(table)
    for cell in result.cells:
        if not cell.ok:
            where = f"{cell.strategy} on {cell.symbol} {cell.timeframe}"
            out.print(f"{where}: {cell.status}", style="yellow", markup=False, soft_wrap=True)
    about = result.overall()
    if "median" in about:
        out.print(f"{metric}: median {about['median']:.4g}, {about['above_zero']:.0%} above 0")
    out.print(f"{counted(len(result), 'backtest')} in {duration(result.seconds['total'])}; ended: {result.stopped}")


def print_study(out: Console, found: StudyFile, top: int) -> None:
    """Print the best trials of a study."""
    out.print(f"{found.name}: {counted(len(found.trials), 'trial')}", style="bold", markup=False)
    ranked = sorted(found.trials, key=lambda each: (-(each.values or (-math.inf,))[0], each.number))[:top]
    if not ranked:
        return
    names = list(ranked[0].params)
    table = _table(["trial", "state", "value", *names])
    for each in ranked:
        value = _number(each.values[0]) if each.values else "-"
        table.add_row(str(each.number), each.state, value, *(value_text(each.params.get(name)) for name in names))
    out.print(table)


def print_again(out: Console, found: StudyFile, again: SweepResult, metric: str, top: int) -> None:
    """Print the best sets of a study that were run again."""
    from fastbt.interfaces._views import best_table, hyperparameter_columns, subject

    out.print(subject(again.session), style="bold", markup=False)
    best = again.best(metric, top)
    title = f"The {best.height:,} best of {counted(len(again), 'set')} by {metric}"
    if best.height:
        out.print(best_table(out, best, hyperparameter_columns(best), metric, title))
    told = ", ".join(f"{n:,} {kind}" for kind, n in again.counts.items() if n)
    out.print(f"{told}, in {duration(again.seconds['total'])}", markup=False)
