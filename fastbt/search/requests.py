"""What a search is asked for: one schema for Python, the command line and servers."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    field_validator,
    model_validator,
)

from fastbt.search.samplers import SAMPLERS
from fastbt.types import JsonDict


class Schema(BaseModel):
    """Base of all schemas: unknown names are refused, and nothing changes once it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


#: A number that may be unknown: NaN in Python, null in JSON, which has no NaN.
Number = Annotated[
    float,
    Field(allow_inf_nan=True),
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None, return_type=float | None, when_used="json"),
]


class AccountSettings(Schema):
    """Jesse's settings of the account, as for `fastbt.sweep`."""

    starting_balance: float = Field(10_000.0, gt=0)
    fee: float = Field(0.0006, ge=0)
    type: Literal["futures", "spot"] = "futures"
    futures_leverage: int = Field(1, ge=1)
    futures_leverage_mode: Literal["cross", "isolated"] = "cross"
    warm_up_candles: int = Field(240, ge=0)
    exchange: str | None = None
    annualization: int = 365
    indicator_window: Literal["exact", "full"] = "exact"


class SearchSettings(Schema):
    """How sets are searched for.

    Attributes
    ----------
    metrics : list of str
        Jesse's metrics, or "fitness:RATIO", Jesse's fitness. Several are searched for their Pareto front.
    directions : list of {"maximize", "minimize", None}, optional
        The usual one where left out.
    optimal_total : int
        Trades that are enough for Jesse's fitness.
    sampler : str
        tpe, cmaes, nsga2, nsga3, gp, qmc, halton, random or grid.
    trials : int
    batch_size, population : int, optional
        What suits the sampler if left out.
    seed : int
    space : list of dict, optional
        As Jesse declares hyper-parameters; the strategy's own if left out.
    fixed : dict
        Hyper-parameters that do not vary.
    known : list of dict
        Sets to begin with.
    constraints : list of str
        On hyper-parameters: "fast < slow".
    requirements : list of str
        On metrics: "total >= 30".
    patience : int, optional
        End after so many trials without a better one.
    min_improvement : float
        What counts as better, in units of the first metric.
    """

    metrics: list[str] = Field(default=["sharpe_ratio"], min_length=1)
    directions: list[Literal["maximize", "minimize"] | None] | None = None
    optimal_total: int = Field(200, ge=2)
    sampler: str = Field("tpe", json_schema_extra={"enum": [*SAMPLERS]})
    trials: int = Field(100, ge=1)
    batch_size: int | None = Field(None, ge=1)
    population: int | None = Field(None, ge=2)
    seed: int = Field(0, ge=0)
    space: list[JsonDict] | None = None
    fixed: JsonDict = {}
    known: list[JsonDict] = []
    constraints: list[str] = []
    requirements: list[str] = []
    patience: int | None = Field(None, ge=1)
    min_improvement: float = Field(0.0, ge=0)


class MarketSettings(Schema):
    """Which strategy on which candles.

    Attributes
    ----------
    strategy : str
        A strategy's file or folder; the name of the class if it was given as one.
    candles : str, optional
        A file or sample; None if they were given as numbers.
    symbol : str, optional
    timeframe : str
    start, finish : str, optional
        ISO times.
    """

    strategy: str
    candles: str | None = None
    symbol: str | None = None
    timeframe: str = "1h"
    start: str | None = None
    finish: str | None = None
    account: AccountSettings = AccountSettings()  # type: ignore[call-arg]


class OptimizeRequest(Schema):
    """All that `optimize` takes.

    Examples
    --------
    >>> request = OptimizeRequest(market={"strategy": "strategies/SmaCrossover", "candles": "BTC-USD"})
    >>> request.search.sampler, OptimizeRequest.model_validate_json(request.model_dump_json()) == request
    ('tpe', True)
    """

    kind: Literal["optimize"] = "optimize"
    market: MarketSettings
    search: SearchSettings = SearchSettings()  # type: ignore[call-arg]
    threads: int | None = Field(None, ge=1)
    memory: int | None = Field(None, ge=1)
    time_limit: float | None = Field(None, gt=0)


class WindowSettings(Schema):
    """How a period is cut into windows.

    Attributes
    ----------
    mode : {"rolling", "expanding", "anchored"}
        In-sample parts of one length that move on; that grow from the start; or that grow from `anchor`.
    in_sample, out_of_sample, step : float
        Days; the step is the out-of-sample part if left out.
    purge, embargo : float or "auto"
        Days left out between in-sample and out-of-sample: for trades that last beyond the in-sample part, and for what
        indicators remember of it.
    anchor : str, optional
        Where anchored in-sample parts begin; as early as the candles allow if left out.
    partial : bool
        Keep a last window whose out-of-sample part is cut short.
    """

    mode: Literal["rolling", "expanding", "anchored"] = "rolling"
    in_sample: float = Field(365.0, gt=0)
    out_of_sample: float = Field(30.0, gt=0)
    step: float | None = Field(None, gt=0)
    purge: float | Literal["auto"] = "auto"
    embargo: float | Literal["auto"] = "auto"
    anchor: str | None = None
    partial: bool = False

    @field_validator("purge", "embargo")
    @classmethod
    def _not_negative(cls, value: float | str) -> float | str:
        if isinstance(value, float) and value < 0:
            raise ValueError(f"wanted days from 0, or 'auto'; was {value:g}")
        return value

    @model_validator(mode="after")
    def _anchored(self) -> WindowSettings:
        if self.anchor is not None and self.mode != "anchored":
            raise ValueError(f"anchor is for the mode anchored; it was {self.mode}")
        return self


class WalkForwardRequest(Schema):
    """All that `walk_forward` takes."""

    kind: Literal["walk-forward"] = "walk-forward"
    market: MarketSettings
    search: SearchSettings = SearchSettings()  # type: ignore[call-arg]
    windows: WindowSettings = WindowSettings()  # type: ignore[call-arg]
    min_trades: int = Field(1, ge=0)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    resamples: int = Field(2000, ge=100)
    threads: int | None = Field(None, ge=1)
    memory: int | None = Field(None, ge=1)
    time_limit: float | None = Field(None, gt=0)


class BatchRequest(Schema):
    """All that `backtest_batch` takes.

    Attributes
    ----------
    strategies, candles, timeframes : list of str
        Every strategy is run on every symbol in every timeframe; candles that were given as numbers are named by their
        symbol.
    periods : list of (str or None, str or None)
        Starts and finishes.
    sets : list of dict, or dict of them by strategy, optional
        The sets themselves; else the sets of `space`, else of the strategy's own.
    space : list of dict, optional
    n : int, optional
        How many sets are drawn; the whole grid if left out.
    """

    kind: Literal["batch"] = "batch"
    strategies: list[str] = Field(min_length=1)
    candles: list[str] = Field(min_length=1)
    timeframes: list[str] = Field(default=["1h"], min_length=1)
    periods: list[tuple[str | None, str | None]] = Field(default=[(None, None)], min_length=1)
    sets: list[JsonDict] | dict[str, list[JsonDict]] | None = None
    space: list[JsonDict] | None = None
    n: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0)
    sampling: str = "random"
    constraints: list[str] = []
    metric: str = "sharpe_ratio"
    account: AccountSettings = AccountSettings()  # type: ignore[call-arg]
    threads: int | None = Field(None, ge=1)
    memory: int | None = Field(None, ge=1)
    time_limit: float | None = Field(None, gt=0)


def plain(value: Any) -> Any:
    """Return hyper-parameters in JSON's own types: numpy's numbers as Python's, tuples as lists."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return value


def plain_metrics(metrics: JsonDict) -> JsonDict:
    """Return metrics in JSON's own types: what is no number is None.

    Examples
    --------
    >>> plain_metrics({"total": 0, "win_rate": float("nan")})
    {'total': 0, 'win_rate': None}
    """
    found: JsonDict = plain(metrics)
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in found.items()}
