"""`fastbt.verify`: the same strategy, candles and parameter sets in fastbt and in Jesse, compared to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from fastbt.backtest import Session
from fastbt.data import iso
from fastbt.data.times import Time
from fastbt.engine.account import Account
from fastbt.errors import SettingsError, SimulationError
from fastbt.oracle.compare import Run
from fastbt.oracle.full_windows import full_differences
from fastbt.oracle.jesse_process import JesseProcess
from fastbt.oracle.verify import Hyperparameters, SetResult, VerifyReport, verify_sets
from fastbt.routes import RoutesSession
from fastbt.sweep.space import SpaceLike
from fastbt.sweep.sweep import MarketLike, choose_sets, make_account_of, make_session
from fastbt.types import JsonDict, Mode


def jesse_config(account: Account) -> JsonDict:
    """Return the configuration that makes Jesse use this account."""
    config: JsonDict = {
        "starting_balance": account.starting_balance,
        "fee": account.fee_rate,
        "type": "spot" if account.is_spot else "futures",
        "exchange": account.exchange,
        "warm_up_candles": account.warm_up_candles,
        "annualization": account.annualization,
        # Jesse asks for these in spot too, and ignores them there.
        "futures_leverage": account.leverage,
        "futures_leverage_mode": "isolated" if account.mode == Mode.ISOLATED else "cross",
    }
    return config


class JesseRunner:
    """Runs parameter sets of a session in a Jesse process.

    Parameters
    ----------
    session : Session or RoutesSession
    process : JesseProcess
        Started on first use; the caller closes it.
    """

    def __init__(self, session: Session | RoutesSession, process: JesseProcess) -> None:
        self.session = session
        self.process = process

    def __call__(self, hyperparameters: Hyperparameters, *, fast_mode: bool = False) -> JsonDict:
        """Run one set; see `JesseProcess.backtest`."""
        session = self.session
        if isinstance(session, RoutesSession):
            setups, sources, candles, looked_at = session.setups, session.sources, session.candles, session.data_routes
        else:
            setups, sources, candles = [session.setup], [session.source], session.setup.candles
            looked_at = session.setup.data_routes
        exchange = setups[0].account.exchange
        about = {symbol: {"exchange": exchange, "symbol": symbol} for symbol in candles}
        warmup = candles if len(setups[0].warmup) else {}
        return self.process.backtest(
            jesse_config(setups[0].account),
            [
                {
                    **about[setup.symbol],
                    "timeframe": setup.timeframe,
                    "strategy": {"path": str(source.file.resolve()), "class_name": source.name},
                }
                for setup, source in zip(setups, sources, strict=True)
            ],
            [{**about[symbol], "timeframe": timeframe} for symbol, timeframe in looked_at],
            {f"{exchange}-{symbol}": {**about[symbol], "candles": rows} for symbol, (rows, _) in candles.items()},
            {f"{exchange}-{symbol}": {**about[symbol], "candles": rows} for symbol, (_, rows) in warmup.items()}
            or None,
            hyperparameters=None if hyperparameters is None else dict(hyperparameters),
            fast_mode=fast_mode,
        )


def verify(
    strategy: str | Path | type | Session,
    candles: MarketLike | None = None,
    *,
    timeframe: str = "1h",
    start: Time | None = None,
    finish: Time | None = None,
    params: Sequence[Mapping[str, Any]] | None = None,
    space: SpaceLike | None = None,
    n: int | None = None,
    seed: int = 0,
    mode: Literal["compiled", "interpreted"] = "compiled",
    process: JesseProcess | None = None,
    progress: Callable[[SetResult], None] | None = None,
    **account: Any,
) -> VerifyReport:
    """Run a strategy in fastbt and in Jesse and compare everything.

    Every trade with all its fields, its orders and fees, the number of orders, and the daily balance must be equal to
    the last bit; metrics to 1e-9. Where Jesse aborts, fastbt must name the same exception.

    Parameters
    ----------
    strategy, candles, timeframe, start, finish, space, params, seed, **account
        As for `fastbt.sweep`.
    n : int, optional
        How many random sets to compare; 20 if neither `params` nor `n` is given. A strategy without hyper-parameters is
        compared once.
    mode : {"compiled", "interpreted"}
        Which of fastbt's engines is compared.
    process : JesseProcess, optional
        A running Jesse to use; one is started and closed otherwise.
    progress : callable, optional
        Called with the result of each set.

    Returns
    -------
    VerifyReport
        `.identical`, and printed, the first difference of each set in its context. With `indicator_window="full"` a
        report with any series that is not Jesse's is not identical, even if the trades are; it names those series.

    Raises
    ------
    OracleError
        If Jesse is not installed or cannot load the strategy.
    """
    if mode not in ("compiled", "interpreted"):
        raise SettingsError(f"mode wants 'compiled' or 'interpreted'; it was {mode!r}")
    session = make_session(strategy, candles, timeframe, start, finish, make_account_of(account))
    if mode == "interpreted" and not session.setup.account.is_exact:
        raise SettingsError("indicator_window 'full' is for compiled runs; interpreted ones are always exact")
    if n is None and params is None:
        n = 20
    if params is None and space is None and not session.source.hyperparameters:
        sets: list[dict[str, Any]] = [{}]
    else:
        sets = choose_sets(session, space=space, params=params, n=n if params is None else None, seed=seed)
    setup = session.setup

    def ours(hyperparameters: Hyperparameters) -> Run:
        return session.run_interpreted(hyperparameters) if mode == "interpreted" else session.run(hyperparameters)

    if mode == "compiled":
        # Compiled before the clock runs, whatever becomes of this set.
        with suppress(SimulationError, SettingsError):
            session.run(sets[0])
    subject = f"{session.source.name} on {setup.symbol} {setup.timeframe}, {iso(setup.start)} to {iso(setup.finish)}"
    if process is not None:
        report = verify_sets(ours, JesseRunner(session, process), sets, subject=subject, progress=progress)
    else:
        with JesseProcess() as own:
            report = verify_sets(ours, JesseRunner(session, own), sets, subject=subject, progress=progress)
    return report if setup.account.is_exact else replace(report, series=full_differences(session, sets))
