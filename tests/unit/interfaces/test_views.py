"""Tables that fit."""

import io
import math

import polars as pl
import pytest
from oracle_runs import a_run
from rich.console import Console

from fastbt.interfaces._views import (
    TABLE_METRICS,
    best_table,
    hyperparameter_columns,
    metric_text,
    metrics_table,
    trades_table,
    value_text,
)
from fastbt.metrics import measure
from fastbt.metrics.names import METRICS


def printed(make, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(make(console))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def a_frame(n_names: int) -> pl.DataFrame:
    names = {f"long_parameter_{i}": [i * 10 + 0.125, 7.0] for i in range(n_names)}
    metrics = {name: [-12.3456, math.nan] for name in METRICS}
    return pl.DataFrame({"set": [871, 3], **names, "status": ["ok", "ok"], **metrics})


@pytest.mark.parametrize("width", [80, 100, 120, 160, 250])
@pytest.mark.parametrize("n_names", [0, 1, 4, 6, 15])
def test_best_table__shows_every_value_at_any_width(width, n_names):
    frame = a_frame(n_names)
    names = hyperparameter_columns(frame)
    assert len(names) == n_names
    lines = printed(lambda console: best_table(console, frame, names, "sharpe_ratio", "The best"), width)
    assert lines[0] == "The best"
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "…" not in text
    for value in ["871", "-12.35 %", "-12.35", "-12", "-1234.6 %", *(value_text(each) for each in frame.row(0)[1:-48])]:
        assert value in text
    if width == 250 and n_names < 15:
        assert all(name in lines[2] for name in names)


@pytest.mark.parametrize("width", [76, 80, 90])
def test_best_table__breaks_long_values_before_it_drops_a_metric(width):
    frame = a_frame(2).rename({"long_parameter_0": "a_name_of_forty_characters_or_nearly_that"})
    lines = printed(lambda console: best_table(console, frame, frame.columns[1:3], "fee", "x"), width)
    assert max(map(len, lines)) <= width
    text = "".join(lines)
    for value in ["-1234.6 %", "-12.35 %", "-12.35", "871", "win"]:
        assert value in text
    assert "…" not in text


def test_best_table__adds_the_metric_that_was_asked_for():
    frame = a_frame(1)
    shown = printed(lambda console: best_table(console, frame, ["long_parameter_0"], "fee", "x"), 160)[2].split()
    assert shown[:3] == ["set", "long_parameter_0", "fee"]
    usual = printed(lambda console: best_table(console, frame, ["long_parameter_0"], "total", "x"), 160)[2].split()
    assert "fee" not in usual


def test_best_table__takes_brackets_as_they_are():
    frame = a_frame(1).with_columns(pl.Series("long_parameter_0", ["[bold]a[/bold]", "b"]))
    text = "\n".join(printed(lambda console: best_table(console, frame, ["long_parameter_0"], "fee", "x"), 160))
    assert "[bold]a[/bold]" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_run__is_shown_whole(width):
    run = a_run()
    metrics = measure(run)
    lines = printed(lambda console: metrics_table(metrics), 80)
    assert any("Trades" in line and line.endswith("3") for line in lines)
    assert any("Win rate" in line and line.endswith("100.0 %") for line in lines)
    lines = printed(lambda console: trades_table(console, run.trades, 2), width)
    assert lines[0] == "The last 2 of 3 trades"
    assert max(map(len, lines)) <= width
    assert len([line for line in lines if "long" in line]) == 2
    assert "2019-01-01 20:00" in "\n".join(lines)
    if width >= 80:
        assert "…" not in "\n".join(lines)


def test_trades_table__counts_all_of_them():
    run = a_run()
    assert printed(lambda console: trades_table(console, run.trades, 9), 120)[0] == "3 trades"
    assert printed(lambda console: trades_table(console, run.trades[:1], 9), 120)[0] == "1 trade"


@pytest.mark.parametrize("name", METRICS)
def test_metric_text__is_short_and_never_fails(name):
    for value in (None, math.nan, math.inf, -math.inf):
        assert metric_text(name, value) == "-"
    for value in (0, 0.0, 1, -0.5, 123456.789, 1e12):
        assert len(metric_text(name, value)) <= 22


def test_table_metrics__are_metrics():
    assert set(TABLE_METRICS) <= set(METRICS)
