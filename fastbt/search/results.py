"""What all results of searches have in common: immutable, with an id, saved and loaded as one JSON file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr, ValidationError

from fastbt.backtest import Session, result_dict
from fastbt.data import CandleSet, iso
from fastbt.errors import SettingsError
from fastbt.search.requests import AccountSettings, MarketSettings, Schema
from fastbt.sweep.manifest import candles_hash
from fastbt.sweep.store import write_atomically
from fastbt.types import JsonDict


class MarketInfo(Schema):
    """What a search was run on.

    Attributes
    ----------
    strategy : str
        Name of the class.
    strategy_sha256, candles_sha256 : str
    symbol, timeframe, start, finish : str
    bars : int
    """

    strategy: str
    strategy_sha256: str
    candles_sha256: str
    symbol: str
    timeframe: str
    start: str
    finish: str
    bars: int

    @classmethod
    def of(cls, session: Session, candles_sha256: str) -> Self:
        """Return what a session is on."""
        setup = session.setup
        return cls(
            strategy=session.source.name,
            strategy_sha256=session.source.sha256,
            candles_sha256=candles_sha256,
            symbol=setup.symbol,
            timeframe=setup.timeframe,
            start=iso(setup.start),
            finish=iso(setup.finish),
            bars=setup.market.n_bars,
        )


class Result(Schema):
    """Base of the results.

    Attributes
    ----------
    id : str
        Tells what was found from what else could have been: the same search has the same id, however long it took and
        however often it was interrupted.
    seconds : dict of float
        Where the time went.
    """

    id: str = ""
    seconds: dict[str, float] = {}

    def model_post_init(self, context: Any) -> None:
        """Give it its id."""
        if not self.id:
            object.__setattr__(self, "id", self._hash())

    def _hash(self) -> str:
        document = self.model_dump(mode="json", exclude={"id", "seconds"})
        for name in ("threads", "memory", "time_limit"):
            document.get("request", {}).pop(name, None)
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """Return it in one line."""
        return repr(self)

    def to_bytes(self) -> bytes:
        """Return the file of this result."""
        return (self.model_dump_json() + "\n").encode()

    def save(self, path: str | Path) -> Path:
        """Write it to a JSON file.

        Parameters
        ----------
        path : str or Path
            A file; or a folder, in which it is named by its id.
        """
        path = Path(path)
        if path.is_dir():
            path = path / f"{self.id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self.to_bytes())
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the result of a file, or of the folder of a search.

        Raises
        ------
        SettingsError
            If there is none, or it is a result of another kind.
        """
        path = Path(path)
        if path.is_dir():
            path = path / "result.json"
        try:
            found = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise SettingsError(f"there is no result at {str(path)!r}") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise SettingsError(f"{str(path)!r} holds no {cls.__name__}: {where}: {first['msg']}") from None
        if found.id != found._hash():
            raise SettingsError(f"{str(path)!r} was changed since it was written: its id does not fit")
        return found


class SessionResult(Result):
    """A result of one strategy on one market, which can run its sets again."""

    market: MarketInfo
    _session: Session | None = PrivateAttr(None)
    _candles: Any = PrivateAttr(None)
    _strategy: Any = PrivateAttr(None)

    def attach(self, session: Session | None, strategy: Any = None, candles: Any = None) -> Self:
        """Give it what it was made of, for `backtest`."""
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_strategy", strategy)
        object.__setattr__(self, "_candles", candles)
        return self

    def settings(self) -> MarketSettings:
        """Return strategy, candles and account."""
        settings: MarketSettings = self.request.market  # type: ignore[attr-defined]
        return settings

    def session(self, strategy: Any = None, candles: Any = None) -> Session:
        """Return strategy and candles, ready to run.

        Parameters
        ----------
        strategy, candles : optional
            As for `optimize`; wanted of a loaded result if they were not given as files.

        Raises
        ------
        SettingsError
            If they are wanted, or are others than those that were searched.
        """
        if self._session is not None and strategy is None and candles is None:
            return self._session
        asked = self.settings()
        session = open_market(
            asked,
            strategy if strategy is not None else self._strategy,
            candles if candles is not None else self._candles,
        )
        if session.source.sha256 != self.market.strategy_sha256:
            raise SettingsError(f"the strategy {session.source.name} has changed since the search {self.id}")
        if candles_hash(session) != self.market.candles_sha256:
            raise SettingsError(f"the candles are others than those of the search {self.id}")
        object.__setattr__(self, "_session", session)
        return session

    def run(self, hyperparameters: JsonDict, session: Session | None = None) -> JsonDict:
        """Return the dictionary of `fastbt.backtest` for one set."""
        session = self.session() if session is None else session
        known = {**session.source.defaults, **hyperparameters}
        simulation, metrics = session.run(known)
        exchange = session.setup.account.exchange
        result = result_dict(
            simulation, metrics, strategy_name=session.source.name, exchange=exchange, equity_curve=True
        )
        return {**result, "hyperparameters": known}


def make_account_settings(settings: AccountSettings) -> Any:
    """Return the account of its settings."""
    from fastbt.sweep.sweep import make_account

    return make_account(**settings.model_dump())


def open_market(asked: MarketSettings, strategy: Any = None, candles: Any = None) -> Session:
    """Return the session of settings; what was given as an object is given again.

    Raises
    ------
    SettingsError
        If there is neither a file of candles nor candles.
    """
    from fastbt.sweep.sweep import make_session

    if candles is None and asked.candles is None:
        raise SettingsError(
            f"the candles of {asked.symbol or asked.strategy} were given as numbers, not as a file; give them again"
        )
    if candles is None:
        assert asked.candles is not None
        candles = CandleSet.load(asked.candles, symbol=asked.symbol)
    return make_session(
        asked.strategy if strategy is None else strategy,
        candles,
        asked.timeframe,
        asked.start,
        asked.finish,
        make_account_settings(asked.account),
    )


def _kinds() -> dict[str, type[Result]]:
    """Return the results of searches, by the kind that their request names."""
    from fastbt.search.batch_result import BatchResult
    from fastbt.search.optimize_result import OptimizeResult
    from fastbt.search.walk_forward_result import WalkForwardResult

    return {"optimize": OptimizeResult, "walk-forward": WalkForwardResult, "batch": BatchResult}


def schemas() -> dict[str, dict[str, JsonDict]]:
    """Return the JSON schemas of what each search takes and gives, as a server offers them.

    Returns
    -------
    dict
        By kind ("optimize", "walk-forward", "batch") the `request` and the `result`.

    Examples
    --------
    >>> offered = schemas()
    >>> list(offered), offered["optimize"]["request"]["required"]
    (['optimize', 'walk-forward', 'batch'], ['market'])
    """
    found = {}
    for name, result in _kinds().items():
        request: Any = result.model_fields["request"].annotation
        found[name] = {
            "request": request.model_json_schema(),
            "result": result.model_json_schema(mode="serialization"),
        }
    return found


def load_result(path: str | Path) -> Result:
    """Return a saved result of any kind.

    Raises
    ------
    SettingsError
        If there is none.
    """
    file = Path(path) / "result.json" if Path(path).is_dir() else Path(path)
    try:
        kind = json.loads(file.read_bytes())["request"]["kind"]
    except FileNotFoundError:
        raise SettingsError(f"there is no result at {str(file)!r}") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise SettingsError(f"{str(file)!r} holds no result of a search") from None
    kinds = _kinds()
    if kind not in kinds:
        raise SettingsError(f"{str(file)!r} holds a result of an unknown kind: {kind!r}")
    return kinds[kind].load(file)
