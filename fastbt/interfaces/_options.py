"""Options that commands share, and how a function with groups of options becomes a command."""

from __future__ import annotations

import dataclasses
import errno
import functools
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

import typer
import typer.core

from fastbt.errors import CompileError, FastbtError, OracleError, SettingsError, SimulationError
from fastbt.interfaces._suggestions import given, interpreted_command
from fastbt.interfaces._terminal import control_c, say, warnings_as_lines, write_json

if TYPE_CHECKING:
    from fastbt.backtest import Session
    from fastbt.engine.account import Account

OK: Final = 0
NEGATIVE: Final = 1
WRONG_USE: Final = 2
INTERNAL: Final = 3
INTERRUPTED: Final = 130

# Options are listed under these headings.
_candles = functools.partial(typer.Option, rich_help_panel="Candles")
_account = functools.partial(typer.Option, rich_help_panel="Account (Jesse's settings)")
_output = functools.partial(typer.Option, rich_help_panel="Output")

StrategyArgument = Annotated[
    str, typer.Argument(metavar="STRATEGY", help="A strategy's folder or file, or its name in ./strategies.")
]
CandlesArgument = Annotated[
    str, typer.Argument(metavar="CANDLES", help="A Parquet or CSV file, or a sample: BTC-USD, ETH-USD.")
]
SeedOption = Annotated[int, typer.Option(metavar="N", min=0, help="Of the random sets.")]
SpaceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--space",
        "-s",
        metavar="NAME=MIN:MAX:STEP",
        help="What to vary, repeatable; also NAME=MIN:MAX:log, NAME=A,B,C or NAME=VALUE. Others keep their defaults. "
        "By default all that hyperparameters() declares.",
    ),
]
ThreadsOption = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="By default all cores; the results do not change.")
]


class IndicatorWindow(StrEnum):
    """What recursive indicators see at a bar."""

    exact = "exact"
    full = "full"


IndicatorWindowOption = Annotated[
    IndicatorWindow,
    _account(help="Full: recursive indicators in one pass over all candles; faster, not identical to Jesse."),
]


@dataclass(frozen=True)
class Output:
    """How a command reports."""

    json: Annotated[bool, _output("--json", help="Print one JSON document.")] = False
    debug: Annotated[bool, _output("--debug", help="Show the traceback of an error.")] = False


@dataclass(frozen=True)
class Market:
    """Which candles."""

    candles: Annotated[
        str,
        _candles(
            metavar="FILE|SAMPLE", help="One-minute candles: a Parquet or CSV file, or a sample: BTC-USD, ETH-USD."
        ),
    ] = "BTC-USD"
    symbol: Annotated[
        str | None,
        _candles(metavar="BASE-QUOTE", help="By default told from the file's name."),
    ] = None
    timeframe: Annotated[str, _candles("--timeframe", "-t", metavar="TIMEFRAME", help="1m to 1M.")] = "1h"
    start: Annotated[
        str | None,
        _candles(metavar="TIME", help="First traded minute, UTC; else after the warm-up."),
    ] = None
    finish: Annotated[
        str | None,
        _candles(metavar="TIME", help="End, not included; else that of the candles."),
    ] = None


@dataclass(frozen=True)
class AccountOptions:
    """Jesse's settings of the account."""

    starting_balance: Annotated[float, _account(metavar="MONEY", help="In quote currency.")] = 10_000.0
    fee: Annotated[float, _account(metavar="RATE", help="Fraction of every fill.")] = 0.0006
    type: Annotated[str, _account(metavar="futures|spot", help="Kind of market.")] = "futures"
    leverage: Annotated[int | None, _account(metavar="N", help="Jesse's futures_leverage.  [default: 1]")] = None
    leverage_mode: Annotated[
        str | None,
        _account(metavar="cross|isolated", help="Jesse's futures_leverage_mode.  [default: cross]"),
    ] = None
    warm_up_candles: Annotated[int, _account(metavar="N", help="Candles before the start that indicators see.")] = 240
    exchange: Annotated[str | None, _account(metavar="NAME", help="As the strategy sees it.")] = None
    indicator_window: IndicatorWindowOption = IndicatorWindow.exact

    def account(self) -> Account:
        """Return the account.

        Raises
        ------
        SettingsError
            If a value makes no sense.
        """
        from fastbt.sweep.sweep import make_account

        if self.type == "spot" and (self.leverage is not None or self.leverage_mode is not None):
            raise SettingsError("--leverage and --leverage-mode are for futures; --type was 'spot'")
        return make_account(
            starting_balance=self.starting_balance,
            fee=self.fee,
            type=self.type,
            futures_leverage=1 if self.leverage is None else self.leverage,
            futures_leverage_mode="cross" if self.leverage_mode is None else self.leverage_mode,
            warm_up_candles=self.warm_up_candles,
            exchange=self.exchange,
            indicator_window=self.indicator_window.value,
        )


def open_session(strategy: str, market: Market, account: Account) -> Session:
    """Return a strategy on its candles; what is cheap to check is checked first."""
    from fastbt.data import CandleSet, timeframe_minutes, to_ms
    from fastbt.interfaces._examples import find_strategy
    from fastbt.sweep.sweep import make_session

    timeframe_minutes(market.timeframe)
    start = None if market.start is None else to_ms(market.start, "start")
    finish = None if market.finish is None else to_ms(market.finish, "finish")
    if start is not None and finish is not None and start >= finish:
        raise SettingsError(f"start: wanted a time before the finish {market.finish}; was {market.start}")
    candles = CandleSet.load(market.candles, symbol=market.symbol)
    return make_session(find_strategy(strategy), candles, market.timeframe, start, finish, account)


class Command(typer.core.TyperCommand):
    """A command whose help lists the options in groups, as plain text: importing rich would double its time."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write each group under its name."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                is_argument = parameter.param_type_name == "argument"
                title = "Arguments" if is_argument else getattr(parameter, "rich_help_panel", None) or "Options"
                groups.setdefault(title, []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Register a function that takes groups of options and returns its exit code.

    A parameter that is annotated with one of the dataclasses above becomes one option for each of its fields. One named
    `output` of type `Output` is wanted. Errors become a sentence on stderr and an exit code.
    """

    def register(function: Callable[..., int]) -> Callable[..., int]:
        hints = get_type_hints(function, include_extras=True)
        groups: dict[str, Any] = {}
        parameters: list[inspect.Parameter] = []
        for each in inspect.signature(function).parameters.values():
            kind = hints[each.name]
            if not dataclasses.is_dataclass(kind):
                parameters.append(each.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))
                continue
            groups[each.name] = kind
            inner = get_type_hints(kind, include_extras=True)
            parameters += [
                inspect.Parameter(
                    field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=inner[field.name]
                )
                for field in dataclasses.fields(kind)
            ]

        @functools.wraps(function)
        def run(**values: Any) -> None:
            for key, kind in groups.items():
                values[key] = kind(**{field.name: values.pop(field.name) for field in dataclasses.fields(kind)})
            raise typer.Exit(_guarded(function, values))

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name, cls=Command)(run)
        return function

    return register


def _guarded(function: Callable[..., int], values: dict[str, Any]) -> int:
    """Run a command; turn what it raises into a sentence and an exit code."""
    output: Output = values["output"]
    try:
        with control_c(), warnings_as_lines():
            return function(**values)
    except KeyboardInterrupt:
        say("Interrupted.")
        if output.json:
            write_json({"interrupted": True})
        return INTERRUPTED
    except FastbtError as error:
        code = NEGATIVE if isinstance(error, SimulationError) else WRONG_USE
        text = str(error)
        if isinstance(error, CompileError) and "mode" in values:
            text = text.replace('mode="interpreted"', "--mode interpreted")
        arguments = given()
        if isinstance(error, CompileError) and arguments and ("mode" in values or arguments[0] == "compile"):
            text += f"\nAs ordinary Python it runs: {interpreted_command(arguments)}"
        if isinstance(error, OracleError):
            # What follows the first line is what Jesse printed.
            text, _, rest = text.partition("\n")
            text += " (--debug shows more)" if rest else ""
        return _report(error, text, code, output)
    except MemoryError as error:
        return _report(error, "there is not enough memory for this; ask for fewer sets with --n", WRONG_USE, output)
    except OSError as error:
        if error.errno == errno.EPIPE:  # the reader of our output has gone
            raise
        return _report(error, f"{error.filename or 'input or output'}: {error.strerror or error}", WRONG_USE, output)
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        sentence = f"fastbt itself failed: {type(error).__name__}: {error}".splitlines()[0]
        return _report(error, f"{sentence} (a bug; --debug shows the traceback)", INTERNAL, output)


def _report(error: BaseException, text: str, code: int, output: Output) -> int:
    if output.debug:
        traceback.print_exception(error, file=sys.stderr)
    else:
        say(f"Error: {text}")
    if output.json:
        about: dict[str, Any] = {"type": type(error).__name__, "message": text}
        if isinstance(error, CompileError):
            about |= {"message": error.message, "file": error.file, "line": error.line, "column": error.column}
        if isinstance(error, SimulationError):
            about |= {"exception": error.exception, "bar": error.bar, "time": error.time}
        write_json({"error": about})
    return code
