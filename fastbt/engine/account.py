"""The simulated account: what it starts with and how it works."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from fastbt.errors import SettingsError, did_you_mean
from fastbt.types import Mode

_REQUIRED: Final = ("starting_balance", "fee", "exchange", "warm_up_candles")
_OPTIONAL: Final = (
    "type",
    "simulation_model",
    "market_type",
    "annualization",
    "futures_leverage",
    "futures_leverage_mode",
    "indicator_window",
)
_FUTURES_MODES: Final = {"cross": Mode.CROSS, "isolated": Mode.ISOLATED}
_MODEL_TYPES: Final = {"perpetual_futures": "futures", "spot": "spot"}
#: Periods in a year that Jesse accepts.
ANNUALIZATIONS: Final = (252, 365)
#: What indicators that are not sequential are computed from: as in Jesse, or in one pass over all candles.
INDICATOR_WINDOWS: Final = ("exact", "full")


@dataclass(frozen=True, slots=True)
class Account:
    """A Jesse account: balance, fee, market and margin.

    Attributes
    ----------
    starting_balance : float
        Wallet before the first bar (quote).
    fee_rate : float
        Fraction of notional charged at every fill: 0.0006 is 6 bps.
    mode : Mode
        Cross or isolated futures, or spot.
    leverage : int
        Divides the margin of futures positions; 1 in spot.
    exchange : str
        Name of the exchange, as strategies see it.
    warm_up_candles : int
        Rows that an indicator sees when it is asked for its last value only; 0 means all.
    annualization : int
        Periods in a year for the metrics, 365 or 252.
    indicator_window : {"exact", "full"}
        What recursive indicators that are not sequential see at a bar: the last `warm_up_candles` rows, as in Jesse; or
        all rows before it, in one pass, which is faster and **not identical to Jesse**. See `Indicator.restarts`.

    Raises
    ------
    SettingsError
        If a value makes no sense.

    Examples
    --------
    >>> Account(leverage=3).mode.name
    'CROSS'
    """

    starting_balance: float = 10_000.0
    fee_rate: float = 0.0006
    mode: Mode = Mode.CROSS
    leverage: int = 1
    exchange: str = "Binance Perpetual Futures"
    warm_up_candles: int = 240
    annualization: int = 365
    indicator_window: str = "exact"

    def __post_init__(self) -> None:
        _check(self.starting_balance, "starting_balance", "a positive number", lambda x: 0 < x < math.inf)
        _check(self.fee_rate, "fee_rate", "a fraction between -1 and 1 (6 bps is 0.0006)", lambda x: -1 < x < 1)
        if self.mode not in tuple(Mode):
            raise SettingsError(f"mode wants one of {', '.join(mode.name for mode in Mode)}; it was {self.mode!r}")
        _check(self.leverage, "leverage", "a whole number from 1", lambda x: x >= 1 and x == int(x))
        if self.mode == Mode.SPOT and self.leverage != 1:
            raise SettingsError(f"spot has no leverage, so leverage wants 1; it was {self.leverage!r}")
        if not isinstance(self.exchange, str) or not self.exchange:
            raise SettingsError(f"exchange wants a name; it was {self.exchange!r}")
        _check(self.warm_up_candles, "warm_up_candles", "a whole number from 0", lambda x: x >= 0 and x == int(x))
        if isinstance(self.annualization, bool) or self.annualization not in ANNUALIZATIONS:
            raise SettingsError(f"annualization wants 252 or 365; it was {self.annualization!r}")
        if self.indicator_window not in INDICATOR_WINDOWS:
            raise SettingsError(f"indicator_window wants 'exact' or 'full'; it was {self.indicator_window!r}")

    @property
    def is_spot(self) -> bool:
        """Whether assets are bought and sold, rather than futures."""
        return self.mode == Mode.SPOT

    @property
    def is_exact(self) -> bool:
        """Whether indicators see what they see in Jesse."""
        return self.indicator_window == "exact"

    @classmethod
    def from_jesse_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the account that `jesse.research.backtest` makes of `config`.

        Parameters
        ----------
        config : mapping
            ``starting_balance``, ``fee``, ``exchange``, ``warm_up_candles``; optionally ``type`` ('futures' or 'spot'),
            ``simulation_model``, ``annualization``; for futures ``futures_leverage`` and ``futures_leverage_mode``.
            And ``indicator_window``, which Jesse does not know.

        Returns
        -------
        Account
            The same account.

        Raises
        ------
        SettingsError
            If a key is missing or misspelt, or a value makes no sense.

        References
        ----------
        .. [1] Specification 1.1; ``jesse.research.backtest`` of Jesse 3.5.3.

        Examples
        --------
        >>> config = {"starting_balance": 5_000, "fee": 0.001, "type": "spot", "exchange": "Binance Spot"}
        >>> Account.from_jesse_config({**config, "warm_up_candles": 100}).mode.name
        'SPOT'
        """
        known = (*_REQUIRED, *_OPTIONAL)
        for key in config:
            # Jesse ignores keys that it does not know; only one that looks like a slip of the hand is refused.
            if key not in known and (near := did_you_mean(str(key), known)):
                raise SettingsError(f"the configuration has no key {key!r}.{near}")
        futures = _exchange_type(config) == "futures"
        required = (*_REQUIRED, "futures_leverage", "futures_leverage_mode") if futures else _REQUIRED
        missing = [key for key in required if key not in config]
        if missing:
            raise SettingsError(f"the configuration wants {', '.join(required)}; it lacks {', '.join(missing)}")
        mode = Mode.SPOT
        if futures:
            name = config["futures_leverage_mode"]
            if name not in _FUTURES_MODES:
                raise SettingsError(f"futures_leverage_mode wants 'cross' or 'isolated'; it was {name!r}")
            mode = _FUTURES_MODES[name]
        return cls(
            starting_balance=_number(config, "starting_balance", float),
            fee_rate=_number(config, "fee", float),
            mode=mode,
            leverage=int(_number(config, "futures_leverage", int)) if futures else 1,
            exchange=config["exchange"],
            warm_up_candles=int(_number(config, "warm_up_candles", int)),
            annualization=_annualization(config.get("annualization", 365)),
            indicator_window=config.get("indicator_window", "exact"),
        )


def _check(value: Any, name: str, wanted: str, accepts: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or not accepts(value):
        raise SettingsError(f"{name} wants {wanted}; it was {value!r}")


def _number(config: Mapping[str, Any], key: str, convert: type[float] | type[int]) -> float:
    try:
        return convert(config[key])
    except (TypeError, ValueError):
        raise SettingsError(f"{key} wants a number; it was {config[key]!r}") from None


def _exchange_type(config: Mapping[str, Any]) -> str:
    """Return 'futures' or 'spot' from the fields that may say so, which must agree."""
    named: dict[str, str] = {}
    for key in ("simulation_model", "market_type", "type"):
        value = config.get(key)
        if value in (None, ""):
            continue
        accepted = _MODEL_TYPES if key == "simulation_model" else {"futures": "futures", "spot": "spot"}
        if value not in accepted:
            raise SettingsError(f"{key} wants {' or '.join(map(repr, accepted))}; it was {value!r}")
        named[key] = accepted[value]
    if len(set(named.values())) > 1:
        raise SettingsError(f"these contradict each other: {', '.join(f'{k}={config[k]!r}' for k in named)}")
    return next(iter(named.values()), "futures")


def _annualization(value: Any) -> int:
    if isinstance(value, str) and value in ("252", "365"):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise SettingsError(f"annualization wants 252 or 365; it was {value!r}")
    return value
