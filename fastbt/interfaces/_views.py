"""Results as tables for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from fastbt.interfaces._terminal import counted, duration, moment
from fastbt.metrics.names import METRICS

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console
    from rich.table import Table

    from fastbt.backtest import Session
    from fastbt.results import Trade

#: Metrics that Jesse gives in percent, as fractions, in seconds, in money and as counts.
_PERCENT: Final = {
    "net_profit_percentage",
    "expectancy_percentage",
    "max_drawdown",
    "annual_return",
    "longs_percentage",
    "shorts_percentage",
}
_FRACTION: Final = {"win_rate", "win_rate_longs", "win_rate_shorts"}
_SECONDS: Final = {"average_holding_period", "average_winning_holding_period", "average_losing_holding_period"}
_MONEY: Final = {
    "starting_balance",
    "finishing_balance",
    "fee",
    "net_profit",
    "average_win",
    "average_loss",
    "expectancy",
    "gross_profit",
    "gross_loss",
    "open_pl",
    "largest_losing_trade",
    "largest_winning_trade",
}
_COUNT: Final = {
    "total",
    "total_winning_trades",
    "total_losing_trades",
    "longs_count",
    "shorts_count",
    "total_open_trades",
    "winning_streak",
    "losing_streak",
    "current_streak",
}

#: What the table of a sweep says of each set.
TABLE_METRICS: Final = ("net_profit_percentage", "sharpe_ratio", "max_drawdown", "total", "win_rate")
_HEADINGS: Final = {
    "net_profit_percentage": "net profit",
    "sharpe_ratio": "sharpe",
    "max_drawdown": "max drawdown",
    "total": "trades",
    "win_rate": "win rate",
}

#: The metrics of one run, in two columns: label and name.
_REPORT: Final[tuple[tuple[tuple[str, str], tuple[str, str]], ...]] = (
    (("Net profit", "net_profit_percentage"), ("Trades", "total")),
    (("Net profit, money", "net_profit"), ("Win rate", "win_rate")),
    (("Finishing balance", "finishing_balance"), ("Longs, shorts", "longs_count+shorts_count")),
    (("Annual return", "annual_return"), ("Average win / loss", "ratio_avg_win_loss")),
    (("Max drawdown", "max_drawdown"), ("Expectancy", "expectancy")),
    (("Sharpe", "sharpe_ratio"), ("Largest win", "largest_winning_trade")),
    (("Sortino", "sortino_ratio"), ("Largest loss", "largest_losing_trade")),
    (("Calmar", "calmar_ratio"), ("Average holding", "average_holding_period")),
    (("Omega", "omega_ratio"), ("Winning, losing streak", "winning_streak+losing_streak")),
    (("Fees", "fee"), ("Open at the end", "total_open_trades")),
)


def metric_text(name: str, value: Any) -> str:
    """Return a metric as a person reads it.

    Examples
    --------
    >>> metric_text("win_rate", 0.625), metric_text("max_drawdown", -9.2522), metric_text("sharpe_ratio", float("nan"))
    ('62.5 %', '-9.25 %', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if name in _PERCENT:
        return f"{value:,.2f} %"
    if name in _FRACTION:
        return f"{value * 100:.1f} %"
    if name in _SECONDS:
        return duration(value)
    if name in _COUNT:
        return f"{value:,.0f}"
    return f"{value:,.2f}"


def value_text(value: Any) -> str:
    """Return a hyper-parameter's value, to six digits.

    Examples
    --------
    >>> value_text(0.025), value_text(0.0188886996821), value_text(5.0), value_text("hl2")
    ('0.025', '0.0188887', '5.0', 'hl2')
    """
    return f"{value:.6g}" if isinstance(value, float) and value % 1 else str(value)


def subject(session: Session) -> str:
    """Return what is run on what, in one line."""
    setup = session.setup
    account = setup.account
    kind = "spot" if account.is_spot else f"{account.mode.name.lower()} futures {account.leverage}x"
    period = f"{moment(setup.start)} to {moment(setup.finish)} UTC"
    what = f"{session.source.name} on {setup.symbol} {setup.timeframe}"
    window = "" if account.is_exact else ", indicators over all candles (not Jesse's)"
    return f"{what}, {period}, {kind}, fee {account.fee_rate * 100:g} %{window}"


def _table(title: str | None = None) -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)


def best_table(console: Console, best: pl.DataFrame, names: Sequence[str], metric: str, title: str) -> Table:
    """Return the table of the best sets.

    If it is too wide, its headings break, then its columns move together, then hyper-parameters share one column.
    """
    shown = TABLE_METRICS if metric in TABLE_METRICS else (metric, *TABLE_METRICS)
    rows = best.to_dicts()
    for breaks, tight in ((False, False), (True, False), (True, True)):
        table = _best(rows, names, shown, metric, title, breaks=breaks, tight=tight)
        if _width(console, table) <= console.width:
            return table
    for keep_whole in (True, False):
        table = _best(rows, names, shown, metric, title, breaks=True, tight=True, together=True, keep_whole=keep_whole)
        if _width(console, table, least=True) <= console.width:
            break
    return table


def _width(console: Console, table: Table, *, least: bool = False) -> int:
    """Return how wide a table would be with all the room it wants, or at least."""
    from rich.measure import Measurement

    wanted = Measurement.get(console, console.options.update_width(10_000), table)
    return wanted.minimum if least else wanted.maximum


def _best(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    shown: Sequence[str],
    metric: str,
    title: str,
    *,
    breaks: bool,
    tight: bool,
    together: bool = False,
    keep_whole: bool = True,
) -> Table:
    from rich.markup import escape

    def heading(text: str) -> str:
        return text.replace("_", "_\n").replace(" ", "\n") if breaks else text

    table = _table(title)
    if tight:
        table.padding = (0, 1, 0, 0)
    table.add_column("set", justify="right", style="dim", no_wrap=True)
    columns = [[value_text(row[name]) for row in rows] for name in names]
    labels = [name.removeprefix("hp_") for name in names]
    if together:
        items = [[f"{label}={text}" for text in column] for label, column in zip(labels, columns, strict=True)]
        widest = max((len(text) for column in items for text in column), default=0)
        table.add_column("hyper-parameters", min_width=widest + 1 if keep_whole else None, overflow="fold")
        cells = [[", ".join(row)] for row in zip(*items, strict=True)]
    else:
        for label in labels:
            table.add_column(heading(label), justify="right")
        cells = [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in rows]
    for name in shown:
        style = "bold green" if name == metric else None
        table.add_column(heading(_HEADINGS.get(name, name)), justify="right", style=style, no_wrap=True)
    for row, values in zip(rows, cells, strict=True):
        table.add_row(str(row["set"]), *map(escape, values), *(metric_text(name, row[name]) for name in shown))
    return table


def hyperparameter_columns(best: pl.DataFrame) -> list[str]:
    """Return the columns of a sweep's frame that hold hyper-parameters."""
    return best.columns[1 : best.columns.index("status")] if "status" in best.columns else []


def runs_table(console: Console, runs: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of the runs on disk; with less in it if there is no room."""
    for tight, whole in ((False, True), (True, True), (True, False)):
        table = _runs(runs, tight=tight, whole=whole)
        if _width(console, table) <= console.width:
            return table
    return table


def _runs(runs: Sequence[Mapping[str, Any]], *, tight: bool, whole: bool) -> Table:
    from rich.markup import escape

    from fastbt.sweep.memory import bytes_text

    table = _table()
    if tight:
        table.padding = (0, 1, 0, 0)
    for name in ("run", "strategy", "markets"):
        table.add_column(name, overflow="fold")
    for name in ("rows", *(("ok",) if whole else ()), "state", "best", *(("took", "size") if whole else ())):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("last worked on (UTC)" if whole else "last (UTC)", no_wrap=True)
    for each in runs:
        markets = list(dict.fromkeys(f"{one['symbol']} {one['timeframe']}" for one in each["markets"]))
        more = f" and {len(markets) - 1} more" if len(markets) > 1 else ""
        colour = {"complete": "green", "running": "cyan"}.get(each["state"], "yellow")
        share = "" if each["complete"] else f" {each['done'] / each['rows']:.0%}"
        table.add_row(
            escape(each["name"]),
            escape(each["strategy"]),
            markets[0] + more,
            f"{each['rows']:,}",
            *([f"{each['ok']:,}"] if whole else []),
            f"[{colour}]{each['state']}{share}[/]",
            f"{each['metric'].removesuffix('_ratio')} {metric_text(each['metric'], each['best'])}",
            *([duration(each["seconds"]), bytes_text(each["bytes"])] if whole else []),
            (each["updated"] or "-")[:16].replace("T", " "),
        )
    return table


def metrics_table(metrics: Mapping[str, Any]) -> Table:
    """Return the metrics of one run in two columns."""
    table = _table()
    table.show_header = False
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify)
    for left, right in _REPORT:
        table.add_row(*(text for label, key in (left, right) for text in (label, _joined(key, metrics))))
    return table


def _joined(key: str, metrics: Mapping[str, Any]) -> str:
    return ", ".join(metric_text(name, metrics.get(name)) for name in key.split("+"))


def trades_table(console: Console, trades: Sequence[Trade], last: int) -> Table:
    """Return the last trades; without their quantity if there is no room for it."""
    for tight, with_qty in ((False, True), (True, True)):
        table = _trades(trades, last, tight=tight, with_qty=with_qty)
        if _width(console, table) <= console.width:
            return table
    return _trades(trades, last, tight=True, with_qty=False)


def _trades(trades: Sequence[Trade], last: int, *, tight: bool, with_qty: bool) -> Table:
    title = f"The last {last} of {len(trades):,} trades" if last < len(trades) else counted(len(trades), "trade")
    table = _table(title)
    if tight:
        table.padding = (0, 1, 0, 0)
    for name in ("side", "opened (UTC)"):
        table.add_column(name, no_wrap=True)
    for name in ("held", *(["qty"] if with_qty else []), "entry", "exit", "PNL", "PNL %"):
        table.add_column(name, justify="right", no_wrap=True)
    for trade in trades[-last:] if last else ():
        colour = "green" if trade.pnl > 0 else "red"
        table.add_row(
            trade.type,
            moment(trade.opened_at),
            duration(trade.holding_period).replace(" min", "m").replace(" d", "d").replace(" h", "h"),
            *([f"{trade.qty:.5g}"] if with_qty else []),
            f"{trade.entry_price:.6g}",
            f"{trade.exit_price:.6g}",
            f"[{colour}]{trade.pnl:,.2f}[/]",
            f"[{colour}]{trade.pnl_percentage:.2f}[/]",
        )
    return table


assert all(name in METRICS for pair in _REPORT for _, key in pair for name in key.split("+"))
