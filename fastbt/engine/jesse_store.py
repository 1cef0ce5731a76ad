"""What strategies find in `jesse.store`, `jesse.enums` and `jesse.services.logger` on the reference engine.

In Jesse these are global; here they look at the run that is going on in this thread. They hold what a backtest can
show: live trading has no counterpart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from fastbt.engine.orders import ACTIVE, BUY, CANCELED, EXECUTED, LIMIT, MARKET, SELL, STOP, Order
from fastbt.engine.positions import LONG, SHORT
from fastbt.types import Float2D

if TYPE_CHECKING:
    from fastbt.engine.exchange import FuturesExchange, SpotExchange
    from fastbt.engine.positions import Position
    from fastbt.engine.session import Session
    from fastbt.engine.trades import ClosedTrade

_running: ContextVar[Session] = ContextVar("_running")


@contextmanager
def running(session: Session) -> Iterator[None]:
    """Let `store` look at a run."""
    token = _running.set(session)
    try:
        yield
    finally:
        _running.reset(token)


def _session() -> Session:
    session = _running.get(None)
    if session is None:
        raise RuntimeError("jesse.store: no backtest is running")
    return session


class AppState:
    """Clock and results of the run: `store.app`."""

    ending_time = None
    session_id = ""

    @property
    def time(self) -> float:
        """End of the current minute, ms UTC."""
        return _session().time

    @property
    def starting_time(self) -> float:
        """Time of the first candle, ms UTC."""
        return _session().starting_time

    @starting_time.setter
    def starting_time(self, value: float) -> None:
        _session().starting_time = value

    @property
    def daily_balance(self) -> list[float]:
        """Equity samples so far (quote)."""
        return _session().daily_balance

    @property
    def daily_balance_timestamps(self) -> list[int]:
        """Their times, ms UTC."""
        return _session().daily_time

    @property
    def total_open_trades(self) -> int:
        """Positions that were open at the end."""
        return _session().total_open_trades

    @property
    def total_open_pl(self) -> float:
        """What they were worth (quote)."""
        return _session().open_pl

    @property
    def total_liquidations(self) -> int:
        """Positions that were liquidated."""
        return _session().liquidations


class ClosedTrades:
    """`store.closed_trades`."""

    @property
    def trades(self) -> list[ClosedTrade]:
        """Closed trades of all routes."""
        return _session().trades.closed_trades

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.trades)


class ExchangesState:
    """`store.exchanges`: there is one."""

    @property
    def storage(self) -> dict[str, FuturesExchange | SpotExchange]:
        """The exchange by its name."""
        exchange = _session().exchange
        return {exchange.name: exchange}

    def get_exchange(self, name: str) -> FuturesExchange | SpotExchange:
        """Return an exchange by its name."""
        return self.storage[name]


class PositionsState:
    """`store.positions`."""

    @property
    def storage(self) -> dict[str, Position]:
        """Positions by exchange and symbol."""
        session = _session()
        return {f"{session.account.exchange}-{symbol}": each for symbol, each in session.positions.items()}

    def count_open_positions(self) -> int:
        """Return how many routes have a position."""
        return sum(position.is_open for position in self.storage.values())

    def get_position(self, exchange: str, symbol: str) -> Position | None:
        """Return the position of a route; None if none trades the symbol."""
        return self.storage.get(f"{exchange}-{symbol}")


class OrdersState:
    """`store.orders`."""

    def get_orders(self, exchange: str, symbol: str) -> list[Order]:
        """Return the orders of a symbol since the last reset."""
        return _session().orders.of_trade[symbol]

    def get_active_orders(self, exchange: str, symbol: str) -> list[Order]:
        """Return those that work, and those that have just been filled or cancelled."""
        return _session().orders.working[symbol]

    def count_active_orders(self, exchange: str, symbol: str) -> int:
        """Return how many orders of a symbol work."""
        return sum(order.is_active for order in _session().orders.working[symbol])

    def count(self, exchange: str, symbol: str) -> int:
        """Return how many orders there were since the last reset."""
        return len(_session().orders.of_trade[symbol])


class CandlesState:
    """`store.candles`."""

    def get_candles(self, exchange: str, symbol: str, timeframe: str) -> Float2D:
        """Return the candles up to now, the last as far as it has formed."""
        return _session().visible_candles(exchange, symbol, timeframe)

    #: Jesse's own has an array with more methods; its length and rows are the same.
    get_storage = get_candles


class Store:
    """`jesse.store.store`."""

    def __init__(self) -> None:
        self.app = AppState()
        self.closed_trades = ClosedTrades()
        self.exchanges = ExchangesState()
        self.positions = PositionsState()
        self.orders = OrdersState()
        self.candles = CandlesState()

    @property
    def vars(self) -> dict[Any, Any]:
        """What routes share."""
        return _session().shared_vars


store = Store()


class sides:  # noqa: N801
    """Sides of an order."""

    BUY = BUY
    SELL = SELL


class trade_types:  # noqa: N801
    """Types of a trade."""

    LONG = LONG
    SHORT = SHORT


class order_types:  # noqa: N801
    """Types of an order; a backtest has the first three."""

    MARKET = MARKET
    LIMIT = LIMIT
    STOP = STOP
    FOK = "FOK"
    STOP_LIMIT = "STOP LIMIT"


class order_statuses:  # noqa: N801
    """Statuses of an order; a backtest has the first three."""

    ACTIVE = ACTIVE
    CANCELED = CANCELED
    EXECUTED = EXECUTED
    PARTIALLY_FILLED = "PARTIALLY FILLED"
    QUEUED = "QUEUED"
    LIQUIDATED = "LIQUIDATED"
    REJECTED = "REJECTED"


class timeframes:  # noqa: N801
    """Names of timeframes."""

    MINUTE_1 = "1m"
    MINUTE_3 = "3m"
    MINUTE_5 = "5m"
    MINUTE_15 = "15m"
    MINUTE_30 = "30m"
    MINUTE_45 = "45m"
    HOUR_1 = "1h"
    HOUR_2 = "2h"
    HOUR_3 = "3h"
    HOUR_4 = "4h"
    HOUR_6 = "6h"
    HOUR_8 = "8h"
    HOUR_12 = "12h"
    DAY_1 = "1D"
    DAY_3 = "3D"
    WEEK_1 = "1W"
    MONTH_1 = "1M"


ENUMS = (sides, trade_types, order_types, order_statuses, timeframes)


def info(msg: object, send_notification: bool = False, webhook: str | None = None) -> None:
    """Keep a line in the log of the run; nothing is sent."""
    _session().note("info", str(msg))


def error(msg: object, send_notification: bool = True) -> None:
    """Keep an error in the log of the run; nothing is sent."""
    _session().note("error", str(msg))


class _Config(dict[str, Any]):
    """`jesse.config.config` as far as a backtest reads it."""

    def __missing__(self, key: str) -> Any:
        if key != "env":
            raise KeyError(key)
        account = _session().account
        exchange = {
            "fee": account.fee_rate,
            "type": "spot" if account.is_spot else "futures",
            "balance": account.starting_balance,
        }
        if not account.is_spot:
            exchange |= {"futures_leverage": account.leverage, "futures_leverage_mode": account.mode.name.lower()}
        return {"exchanges": {account.exchange: exchange}, "metrics": {"annualization": account.annualization}}


config = _Config()
