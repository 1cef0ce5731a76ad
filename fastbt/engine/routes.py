"""What is traded by which strategy, and with which hyper-parameters."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastbt.errors import SettingsError, did_you_mean
from fastbt.types import TIMEFRAME_MINUTES

# Jesse's older form of `dna()`: one printable character a parameter.
_FIRST_GENE: Final = 40
_LAST_GENE: Final = 119


@dataclass(frozen=True, slots=True)
class Route:
    """A symbol traded by a strategy on a timeframe.

    Attributes
    ----------
    symbol : str
        Base and quote asset, such as ``"BTC-USDT"``.
    timeframe : str
        One of Jesse's, such as ``"1h"``.
    strategy : type
        The strategy class.
    hyperparameters : dict or None
        Handed to the strategy as they are, as Jesse does: no defaults are filled in. None asks the strategy's `dna()`,
        then its defaults.

    Raises
    ------
    SettingsError
        If the symbol or timeframe makes no sense.
    """

    symbol: str
    timeframe: str
    strategy: type
    hyperparameters: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        check_symbol(self.symbol)
        check_timeframe(self.timeframe)


def check_symbol(symbol: str) -> None:
    """Raise SettingsError unless `symbol` names a base and a quote asset."""
    base, dash, quote = str(symbol).partition("-")
    if not (base and dash and quote):
        raise SettingsError(f"a symbol looks like 'BTC-USDT'; it was {symbol!r}")


def check_timeframe(timeframe: str) -> None:
    """Raise SettingsError unless `timeframe` is one of Jesse's."""
    if timeframe not in TIMEFRAME_MINUTES:
        near = did_you_mean(str(timeframe), TIMEFRAME_MINUTES)
        raise SettingsError(f"a timeframe is one of {', '.join(TIMEFRAME_MINUTES)}; it was {timeframe!r}.{near}")


def frame_name(symbol: str, timeframe: str, traded: str) -> str:
    """Return what candles beside the traded ones are called: the symbol is left out where it is the traded one.

    Examples
    --------
    >>> frame_name("BTC-USDT", "4h", "BTC-USDT"), frame_name("ETH-USDT", "4h", "BTC-USDT")
    ('4h', 'ETH-USDT 4h')
    """
    return timeframe if symbol == traded else f"{symbol} {timeframe}"


def frame_parts(name: str, traded: str) -> tuple[str, str]:
    """Return symbol and timeframe of a `frame_name`.

    Examples
    --------
    >>> frame_parts("4h", "BTC-USDT"), frame_parts("ETH-USDT 4h", "BTC-USDT")
    (('BTC-USDT', '4h'), ('ETH-USDT', '4h'))
    """
    symbol, space, timeframe = name.rpartition(" ")
    return (symbol if space else traded), timeframe


def base_asset(symbol: str) -> str:
    """Return the asset that is bought and sold.

    Examples
    --------
    >>> base_asset("BTC-USDT")
    'BTC'
    """
    return symbol.split("-")[0]


def quote_asset(symbol: str) -> str:
    """Return the asset that prices are in.

    Examples
    --------
    >>> quote_asset("BTC-USDT")
    'USDT'
    """
    return symbol.split("-")[1]


def hyperparameters_from_dna(definitions: Sequence[dict[str, Any]], dna: str) -> dict[str, Any]:
    """Return the hyper-parameters that a strategy's `dna()` stands for.

    Parameters
    ----------
    definitions : sequence of dict
        What the strategy's `hyperparameters()` returns.
    dna : str
        Base64 of a JSON object, or Jesse's older form: one character a parameter, from 40 (the minimum) to 119.

    Returns
    -------
    dict
        A value for each name.

    Raises
    ------
    ValueError
        If a character lies outside its range.
    TypeError
        If a parameter of the older form is neither int nor float.

    References
    ----------
    .. [1] Specification 7.4; ``jesse.helpers.dna_to_hp`` of Jesse 3.5.3.

    Examples
    --------
    >>> hyperparameters_from_dna([], "eyJwZXJpb2QiOiAxNH0=")
    {'period': 14}
    >>> hyperparameters_from_dna([{"name": "period", "type": int, "min": 2, "max": 20}], "(")
    {'period': 2}
    """
    try:
        decoded: dict[str, Any] = json.loads(base64.b64decode(dna).decode("utf-8"))
        return decoded
    except (ValueError, binascii.Error):
        pass
    decoded = {}
    for gene, definition in zip(dna, definitions, strict=False):
        value = _scale_gene(ord(gene), definition["min"], definition["max"]) if _is_number(definition) else None
        if value is None:
            raise TypeError("Only int and float types are implemented")
        decoded[definition["name"]] = int(round(value)) if definition["type"] is int else value
    return decoded


def _is_number(definition: dict[str, Any]) -> bool:
    return definition["type"] is int or definition["type"] is float


def _scale_gene(gene: int, low: float, high: float) -> float:
    if not _FIRST_GENE <= gene <= _LAST_GENE:
        raise ValueError(f"old_value:{gene} must be within the range. {_FIRST_GENE}-{_LAST_GENE}")
    return (((gene - _FIRST_GENE) * (high - low)) / (_LAST_GENE - _FIRST_GENE)) + low
