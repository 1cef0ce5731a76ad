"""Arguments of the Python functions as requests: what was given as an object is named in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fastbt.backtest import Session
from fastbt.data import CandleSet, iso, timeframe_minutes, to_ms
from fastbt.data.times import Time
from fastbt.errors import SettingsError, did_you_mean
from fastbt.search.requests import AccountSettings, MarketSettings, SearchSettings, plain
from fastbt.sweep.space import Space, SpaceLike
from fastbt.sweep.sweep import make_account
from fastbt.types import JsonDict


def validation_text(error: ValidationError) -> str:
    """Return what pydantic says as one sentence, in our words.

    Examples
    --------
    >>> from fastbt.search.requests import SearchSettings
    >>> try:
    ...     SearchSettings(trials=0)
    ... except ValidationError as error:
    ...     print(validation_text(error))
    trials: input should be greater than or equal to 1; it was 0
    """
    first = error.errors()[0]
    where = ".".join(str(each) for each in first["loc"] if not isinstance(each, int))
    text = first["msg"].removeprefix("Value error, ")
    text = text[:1].lower() + text[1:]
    given = first["input"]
    known = "" if isinstance(given, dict | list) or "was" in text.split() else f"; it was {given!r:.60}"
    return f"{where}: {text}{known}" if where else f"{text}{known}"


def account_settings(account: Mapping[str, Any]) -> AccountSettings:
    """Return the settings of keyword arguments, misspelt ones refused.

    Raises
    ------
    TypeError
        If there is no such setting.
    SettingsError
        If a value makes no sense.
    """
    known = list(make_account.__kwdefaults__ or {})
    for key in account:
        if key not in known:
            raise TypeError(f"there is no setting {key!r}; there are {', '.join(known)}.{did_you_mean(key, known)}")
    make_account(**account)
    with validated():
        return AccountSettings(**account)


def strategy_name(strategy: Any) -> str:
    """Return what a request calls a strategy: its path, or the name of its class."""
    return strategy.__name__ if isinstance(strategy, type) else str(strategy)


def candles_name(candles: Any) -> tuple[str | None, str | None]:
    """Return the file of candles and their symbol, as far as they have them."""
    if isinstance(candles, str | Path):
        return str(candles), None
    if isinstance(candles, CandleSet):
        return None, candles.symbol
    if isinstance(candles, Mapping) and candles:
        return None, str(next(iter(candles)))
    return None, None


def time_text(time: Time | None, name: str) -> str | None:
    """Return a time as ISO text."""
    return None if time is None else iso(to_ms(time, name))


def market_settings(
    strategy: Any,
    candles: Any,
    timeframe: str,
    start: Time | None,
    finish: Time | None,
    account: Mapping[str, Any],
) -> tuple[MarketSettings, Session | None]:
    """Return the market of a request, and its session if one was given.

    Raises
    ------
    SettingsError
        If a value makes no sense.
    """
    if isinstance(strategy, Session):
        setup = strategy.setup
        settings = MarketSettings(
            strategy=strategy.source.name,
            symbol=setup.symbol,
            timeframe=setup.timeframe,
            start=iso(setup.start),
            finish=iso(setup.finish),
            account=settings_of(strategy),
        )
        return settings, strategy
    timeframe_minutes(timeframe)
    first, last = time_text(start, "start"), time_text(finish, "finish")
    if first is not None and last is not None and to_ms(first) >= to_ms(last):
        raise SettingsError(f"start: wanted a time before the finish {last}; was {first}")
    file, symbol = candles_name(candles)
    settings = MarketSettings(
        strategy=strategy_name(strategy),
        candles=file,
        symbol=symbol,
        timeframe=timeframe,
        start=first,
        finish=last,
        account=account_settings(account),
    )
    return settings, None


def settings_of(session: Session) -> AccountSettings:
    """Return the account of a session as settings."""
    account = session.setup.account
    mode = account.mode.name.lower()
    return AccountSettings(
        starting_balance=account.starting_balance,
        fee=account.fee_rate,
        type="spot" if mode == "spot" else "futures",
        futures_leverage=account.leverage,
        futures_leverage_mode="isolated" if mode == "isolated" else "cross",
        warm_up_candles=account.warm_up_candles,
        exchange=account.exchange,
        annualization=account.annualization,
        indicator_window="exact" if account.is_exact else "full",
    )


def requested(request: Any, candles: Any) -> tuple[Any, None]:
    """Return a request; its candles may be given beside it if they are no file."""
    if candles is None and request.market.candles is None:
        raise SettingsError("the request names no file of candles; give the candles beside it")
    return request, None


def space_list(space: SpaceLike | Space | None) -> list[JsonDict] | None:
    """Return a space as Jesse declares hyper-parameters."""
    return None if space is None else [plain(each) for each in Space.of(space).to_list()]


def search_settings(
    *,
    metric: str | Sequence[str],
    direction: str | Sequence[str | None] | None,
    space: SpaceLike | Space | None,
    fixed: Mapping[str, Any] | None,
    known: Sequence[Mapping[str, Any]],
    initial_result: Any,
    constraints: str | Sequence[str],
    requirements: str | Sequence[str],
    **more: Any,
) -> SearchSettings:
    """Return the settings of a search from what `optimize` and `walk_forward` take; `more` as they are.

    Raises
    ------
    ValidationError, SettingsError
        If a value makes no sense.
    """
    metrics = _texts(metric)
    directions: Any = [direction] * len(metrics) if isinstance(direction, str) else direction
    return SearchSettings(
        metrics=metrics,
        directions=None if directions is None else list(directions),
        space=space_list(space),
        fixed=plain(dict(fixed or {})),
        known=plain([*known, *sets_of(initial_result)]),
        constraints=_texts(constraints),
        requirements=_texts(requirements),
        **more,
    )


def _texts(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def sets_of(result: Any, n: int = 10) -> list[dict[str, Any]]:
    """Return the best sets of an earlier result of any kind.

    Raises
    ------
    SettingsError
        If it holds none.
    """
    if result is None:
        return []
    if isinstance(result, Mapping):
        if not isinstance(result.get("hyperparameters"), Mapping):
            raise SettingsError("initial_result: wanted a result with 'hyperparameters', as .backtest() returns it")
        return [dict(result["hyperparameters"])]
    if hasattr(result, "best_sets"):
        return list(result.best_sets(n))
    if hasattr(result, "sets") and hasattr(result, "best"):
        return [result.sets[int(number)] for number in result.best(n=n)["set"].to_list()]
    raise SettingsError(f"initial_result: wanted a result of optimize, backtest_batch or sweep; it was {result!r:.60}")


@contextmanager
def validated() -> Iterator[None]:
    """Raise what pydantic says inside as a SettingsError in our words."""
    try:
        yield
    except ValidationError as error:
        raise SettingsError(validation_text(error)) from None
