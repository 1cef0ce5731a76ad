"""What a run is of: enough to tell whether going on with it gives the same results."""

from __future__ import annotations

import hashlib
from importlib import import_module, metadata
from typing import Any

from fastbt.backtest import Session
from fastbt.compiler.program import CompiledStrategy
from fastbt.engine.account import Account
from fastbt.errors import SettingsError
from fastbt.sweep.executor import Job, chunk_rows
from fastbt.sweep.frames import describe_market
from fastbt.sweep.store import FORMAT, Run, differences
from fastbt.types import JsonDict

#: Differences that are shown.
_SHOWN = 8


def manifest_of(job: Job) -> JsonDict:
    """Return the manifest of a sweep."""
    first = job.sessions[0]
    return {
        "format": FORMAT,
        "strategy": describe_strategy(first),
        "versions": describe_versions(),
        "account": describe_account(first.setup.account),
        "markets": [{**describe_market(each), "candles": candles_hash(each)} for each in job.sessions],
        "sampling": job.source.to_dict(),
        "sets": len(job.source),
        "chunk_rows": [chunk_rows(each) for each in job.sessions],
        "daily": job.daily,
        "metric": job.metric,
    }


def describe_versions(*more: str) -> JsonDict:
    """Return the versions of what results may depend on."""
    names = ("numba", "numpy", "polars", "scipy", *more)
    # By name: the package itself names every layer, and imports them when they are used.
    return {"fastbt": import_module("fastbt").__version__, **{name: metadata.version(name) for name in names}}


def describe_account(account: Account) -> JsonDict:
    """Return the settings of an account."""
    return {
        "starting_balance": account.starting_balance,
        "fee": account.fee_rate,
        "mode": account.mode.name.lower(),
        "leverage": account.leverage,
        "exchange": account.exchange,
        "warm_up_candles": account.warm_up_candles,
        "annualization": account.annualization,
        "indicator_window": account.indicator_window,
    }


def describe_strategy(session: Session) -> JsonDict:
    """Return what tells a strategy from another."""
    source, setup = session.source, session.setup
    compiled = CompiledStrategy(source, setup.account, symbol=setup.symbol, timeframe=setup.timeframe)
    # The generated module has what the strategy imports from its project, too.
    kernels = hashlib.sha256(compiled.text.encode()).hexdigest()
    return {"name": source.name, "sha256": source.sha256, "kernels": kernels}


def candles_hash(session: Session) -> str:
    """Return a hash of all candles that the session reads."""
    digest = hashlib.sha256()
    for symbol, (minutes, warmup) in session.setup.candles.items():
        digest.update(f"{symbol} {len(minutes)} {len(warmup)}\n".encode())
        for array in (minutes, warmup):
            digest.update(array.astype("<f8", order="C", copy=False).tobytes())
    return digest.hexdigest()


def check_same(run: Run, wanted: JsonDict) -> None:
    """Refuse to go on with a run of something else.

    Raises
    ------
    SettingsError
        With what differs.
    """
    import json

    from fastbt.sweep.store import dump_json

    # The metric only decides what progress shows.
    ours: Any = {**json.loads(dump_json(wanted)), "metric": run.manifest.get("metric")}
    found = differences(run.manifest, ours)
    if not found:
        return
    more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    lines = "\n  ".join(found[:_SHOWN])
    raise SettingsError(
        f"the run {run.name!r} is of something else than what is asked for now; go on with what it was made of, or "
        f"start anew beside it with --fork:\n  {lines}{more}"
    )
