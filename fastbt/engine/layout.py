"""Memory that kernels work on: the state of one run, the market's arrays, and the output buffers.

Everything that changes during a run lives in one record, `s`, so that a kernel is handed one pointer. Sizes depend on
the strategy: `points` is the most `(qty, price)` pairs that one of its order attributes can hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastbt.engine.spans import spans_of
from fastbt.types import CLOSE, DAY_MS, HIGH, LOW, MINUTE_MS, OPEN, Float1D, Float2D, Float3D, Int1D

#: Rows of open margin that a run can hold. Jesse never gives back the row of an entry filled at an opening gap.
MARGIN_ROWS: Final = 4096

#: Fills on each side that one trade can hold.
FILL_ROWS: Final = 512

# Rows of the trade buffer, one column a closed trade.
TRADE_SIDE: Final = 0
TRADE_OPENED_AT: Final = 1
TRADE_CLOSED_AT: Final = 2
TRADE_QTY: Final = 3
TRADE_ENTRY: Final = 4
TRADE_EXIT: Final = 5
TRADE_FEE: Final = 6
TRADE_PNL: Final = 7
TRADE_HOLDING: Final = 8
TRADE_ROUTE: Final = 9
TRADE_FIELDS: Final = 10

# Rows of the fill log, one column an executed order; a log without columns switches it off. A route counts its trades.
LOG_TRADE: Final = 0
LOG_SIDE: Final = 1
LOG_TYPE: Final = 2
LOG_QTY: Final = 3
LOG_FILLED_QTY: Final = 4
LOG_PRICE: Final = 5
LOG_FEE: Final = 6
LOG_EXECUTED_AT: Final = 7
LOG_CREATED_AT: Final = 8
LOG_REDUCE_ONLY: Final = 9
LOG_VIA: Final = 10
LOG_ROUTE: Final = 11
LOG_FIELDS: Final = 12

# Columns of `others`: what a route knows of the positions of all routes. Its own row is not kept up to date.
OTHER_QTY: Final = 0
OTHER_ENTRY_PRICE: Final = 1
OTHER_PRICE: Final = 2
OTHER_RESERVED: Final = 3
OTHER_CLOSE: Final = 4
OTHER_TRADES_COUNT: Final = 5
OTHER_INDEX: Final = 6
OTHER_FIELDS: Final = 7

# Columns of the outcome table, one row a parameter set.
OUTCOME_STATUS: Final = 0
OUTCOME_BAR: Final = 1
OUTCOME_TIME: Final = 2
OUTCOME_ORDERS: Final = 3
OUTCOME_BALANCE: Final = 4
OUTCOME_OPEN_TRADES: Final = 5
OUTCOME_OPEN_PL: Final = 6
OUTCOME_LIQUIDATIONS: Final = 7
OUTCOME_TRADES: Final = 8
OUTCOME_FILLS: Final = 9
OUTCOME_FIELDS: Final = 10

#: Bars that are looked at before those on which a strategy may act are listed; a multiple of sixteen.
LISTED_AT_ONCE: Final = 256
#: Minutes from one sample of the daily balance to the next.
DAY_MINUTES: Final = DAY_MS // MINUTE_MS
#: Numbers of a list that are looked at together, as many of which lie behind its last one.
LOOKED_AT_ONCE: Final = 16
#: Parameter sets that are played side by side.
LANES: Final = 32
#: Bars times parameter sets from which on it is worth some seconds of compiling to play them side by side.
WORTH_SHARING: Final = 2**25
#: Trades of parameter sets that are played side by side, all together.
SHARED_TRADES: Final = 2**18
#: One of them: how much was held, from which price to which, and for how long, ms.
CLOSED_TRADE: Final = np.dtype([("qty", "f8"), ("entry_price", "f8"), ("exit_price", "f8"), ("time", "f8")])
#: Segments of lists that are played side by side, all together.
SHARED_SEGMENTS: Final = 2**16
#: One of them, a line of the cache: the closing price of a bar on which a strategy may act, and what is known of it;
#: for a short position and a long one, the next such bar on which it may be closed, and the lowest and the highest
#: price until then.
SEGMENT: Final = np.dtype(
    [
        ("price", "f8"),
        ("low", "f8", (2,)),
        ("high", "f8", (2,)),
        ("facts", "i8"),
        ("next", "i4", (2,)),
        ("unused", "i8"),
    ]
)
#: Bytes of all these trades and segments, and of two numbers beside each segment.
SHARED_BYTES: Final = SHARED_TRADES * CLOSED_TRADE.itemsize + SHARED_SEGMENTS * (SEGMENT.itemsize + 8)
#: Fields of a run's state that list orders and fills.
TABLES: Final = frozenset(
    "o_id o_price o_qty o_side o_type o_status o_reduce_only o_via o_created_at "
    "buy_rows sell_rows buy_fills sell_fills".split()
)


def in_lines(n: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array of one dimension, of zeros, that begins with a line of the processor's cache."""
    line = 64
    memory = np.zeros(n * kind.itemsize + line, np.uint8)
    first = -memory.ctypes.data % line
    return memory[first : first + n * kind.itemsize].view(kind)


@cache
def lanes_dtype(fields: tuple[tuple[str, str], ...] | None = None) -> np.dtype[Any]:
    """Return the record type of parameter sets that are played side by side, each field with one place for each.

    Parameters
    ----------
    fields : tuple of (str, str), optional
        Names and types of what a strategy keeps; what the engine keeps if left out.
    """
    if fields is not None:
        return np.dtype([*((name, kind, (LANES,)) for name, kind in fields), ("unused", "i8")], align=True)
    floats = "wallet qty entry_price opened_at hit_price price low high open_pl".split()
    floats += "closed_qty closed_entry closed_exit holding".split()
    numbers = "set plays at to bar facts first last block hit hit_bar hits due".split()
    numbers += "n_trades next_id last_trade_index is_open is_closed is_done".split()
    kinds = ((floats, "f8"), (numbers, "i8"))
    mine = [(name, kind, (LANES,)) for names, kind in kinds for name in names]
    # Sets whose balances are measured next.
    return np.dtype([*mine, ("measured", "i8", (8,))], align=True)


@cache
def state_dtype(points: int, orders: int, routes: int = 1, shared: int = 0) -> np.dtype[Any]:
    """Return the record type of a run's state, or of one route's.

    Parameters
    ----------
    points : int
        Most `(qty, price)` pairs in one order attribute of the strategy.
    orders : int
        Most orders working at once.
    routes : int
        How many share the account.
    shared : int
        How many variables they share.
    """
    pairs = ("f8", (points, 2))
    fields: list[Any] = [
        # Account: constant during a run.
        ("mode", "i8"),
        ("leverage", "i8"),
        ("fee_rate", "f8"),
        ("starting_balance", "f8"),
        ("timeframe_minutes", "i8"),
        ("warmup_bars", "i8"),
        ("window", "i8"),
        ("is_blind", "b1"),
        # Which route this is, which one it hears of, and the positions of the others.
        ("route", "i8"),
        ("sender", "i8"),
        ("others", "f8", (routes, OTHER_FIELDS)),
        # What strategies keep in self.shared_vars, and whether it was set.
        ("shared", "f8", (max(shared, 1),)),
        ("shared_set", "i8", (max(shared, 1),)),
        # How the run goes: a status other than 0 ends it.
        ("status", "i8"),
        # Clock.
        ("minute", "i8"),
        ("bar", "i8"),
        ("index", "i8"),
        ("time", "f8"),
        ("complete", "b1"),
        # Facts of the bar that were found with the list of events (see `skipping.py`).
        ("facts", "i8"),
        # Within a minute: prices of symbols are not of the same moment.
        ("matching", "b1"),
        ("part_open", "f8"),
        ("part_close", "f8"),
        ("part_high", "f8"),
        ("part_low", "f8"),
        ("part_volume", "f8"),
        ("partial", "b1"),
        # The part of a minute that a fill showed last.
        ("shown_minute", "i8"),
        ("shown_open", "f8"),
        ("shown_close", "f8"),
        ("shown_high", "f8"),
        ("shown_low", "f8"),
        ("shown_volume", "f8"),
        # While a liquidation shows an older candle, the price of the position is another than the strategy's.
        ("stale", "b1"),
        ("market_price", "f8"),
        # Wallet and position.
        ("wallet", "f8"),
        ("base_balance", "f8"),
        ("stop_sum", "f8"),
        ("limit_sum", "f8"),
        ("qty", "f8"),
        ("previous_qty", "f8"),
        ("entry_price", "f8"),
        ("exit_price", "f8"),
        ("current_price", "f8"),
        ("opened_at", "f8"),
        ("closed_at", "f8"),
        # Strategy attributes that hold orders: how many pairs (-1 is None), the pairs, and what was last submitted.
        ("buy_n", "i8"),
        ("sell_n", "i8"),
        ("stop_loss_n", "i8"),
        ("take_profit_n", "i8"),
        ("buy", *pairs),
        ("sell", *pairs),
        ("stop_loss", *pairs),
        ("take_profit", *pairs),
        ("buy_was_n", "i8"),
        ("sell_was_n", "i8"),
        ("stop_loss_was_n", "i8"),
        ("take_profit_was_n", "i8"),
        ("buy_was", *pairs),
        ("sell_was", *pairs),
        ("stop_loss_was", *pairs),
        ("take_profit_was", *pairs),
        # Counters that strategies read.
        ("trades_count", "i8"),
        ("increased_count", "i8"),
        ("reduced_count", "i8"),
        ("last_trade_index", "i8"),
        # Order table: the symbol's active list, in submission order.
        ("n_active", "i8"),
        ("n_listed", "i8"),
        ("n_pending", "i8"),
        ("next_id", "i8"),
        ("o_id", "i8", (orders,)),
        ("o_price", "f8", (orders,)),
        ("o_qty", "f8", (orders,)),
        ("o_side", "i8", (orders,)),
        ("o_type", "i8", (orders,)),
        ("o_status", "i8", (orders,)),
        ("o_reduce_only", "i8", (orders,)),
        ("o_via", "i8", (orders,)),
        ("o_created_at", "f8", (orders,)),
        # The order being executed, for callbacks.
        ("order_price", "f8"),
        ("order_qty", "f8"),
        ("order_filled_qty", "f8"),
        ("order_side", "i8"),
        ("order_type", "i8"),
        ("order_via", "i8"),
        ("order_fee", "f8"),
        ("order_reduce_only", "b1"),
        # Margin rows (signed qty, price) of open orders that are not reduce-only.
        ("n_buy_rows", "i8"),
        ("n_sell_rows", "i8"),
        ("buy_rows", "f8", (MARGIN_ROWS, 2)),
        ("sell_rows", "f8", (MARGIN_ROWS, 2)),
        # Fills of the current trade (|qty|, price), and its fees.
        ("n_buy_fills", "i8"),
        ("n_sell_fills", "i8"),
        ("buy_fills", "f8", (FILL_ROWS, 2)),
        ("sell_fills", "f8", (FILL_ROWS, 2)),
        ("fee_sum", "f8"),
        ("fee_rest", "f8"),
        ("trade_side", "i8"),
        ("trade_opened_at", "f8"),
        # The trade that closed last, for callbacks.
        ("closed_side", "i8"),
        ("closed_qty", "f8"),
        ("closed_entry_price", "f8"),
        ("closed_exit_price", "f8"),
        ("closed_fee", "f8"),
        ("closed_pnl", "f8"),
        ("closed_opened_at", "f8"),
        # Output counters.
        ("n_trades", "i8"),
        ("n_log", "i8"),
        ("n_samples", "i8"),
        ("open_trades", "i8"),
        ("open_pl", "f8"),
        ("liquidations", "i8"),
    ]
    return np.dtype(fields, align=True)


@dataclass(frozen=True)
class Market:
    """The arrays of one symbol and timeframe that all runs share.

    Attributes
    ----------
    minutes : ndarray, shape (n_minutes, 6)
        One-minute candles of the trading period.
    bars : ndarray, shape (n_warmup_bars + n_bars, 6)
        Candles of the trading timeframe, warm-up first.
    warmup_bars : int
        How many of `bars` belong to the warm-up.
    timeframe_minutes : int
        Minutes of one bar.
    span, block_span, bar_span, bar_block_span : ndarray, shape (n, 3, 16)
        Lowest and highest price that each minute, each block of 16 minutes, each bar and each block of 16 bars touches,
        the jump from the previous close included; see `spans.in_blocks`. Of minutes also the open, NaN where open or
        close are not between low and high.
    closes : ndarray, shape (n_bars,)
        Closing prices of the decision bars.
    sample_minutes : ndarray, shape (n_samples - 2,) or one more
        Minutes after which the daily balance is sampled.
    sample_prices : ndarray, like `sample_minutes`
        Closing prices of those minutes.
    sample_times : ndarray, shape (n_samples,), int64
        Times of all samples, ms UTC, the first and the last included.
    """

    minutes: Float2D
    bars: Float2D
    warmup_bars: int
    timeframe_minutes: int
    span: Float3D
    block_span: Float3D
    bar_span: Float3D
    bar_block_span: Float3D
    closes: Float1D
    sample_minutes: Int1D
    sample_prices: Float1D
    sample_times: Int1D

    @property
    def n_bars(self) -> int:
        """Number of decision bars."""
        return len(self.minutes) // self.timeframe_minutes


def _read_only(array: Float2D) -> Float2D:
    """Return a view that cannot be written: Numba compiles anew for arrays that can and for arrays that cannot."""
    view = array.view()
    view.flags.writeable = False
    return view


def build_market(minutes: Float2D, bars: Float2D, *, warmup_bars: int, timeframe_minutes: int) -> Market:
    """Return the shared arrays of one symbol and timeframe.

    Parameters
    ----------
    minutes : ndarray, shape (n_minutes, 6)
        Dense one-minute candles of the trading period, at least one.
    bars : ndarray, shape (n, 6)
        Candles of the trading timeframe, warm-up first.
    warmup_bars, timeframe_minutes : int
        How many bars are warm-up, and how many minutes one has.
    """
    previous_close = np.r_[minutes[0, OPEN], minutes[:-1, CLOSE]]
    prices = (minutes[:, OPEN], minutes[:, CLOSE], previous_close)
    low = np.minimum.reduce([minutes[:, LOW], *prices])
    high = np.maximum.reduce([minutes[:, HIGH], *prices])
    # A sample is due a day and a minute after the start, then every day (specification 1.10).
    sample_minutes = np.arange(DAY_MINUTES, len(minutes), DAY_MINUTES, dtype=np.int64)
    start = int(minutes[0, 0])
    times = [start, *(start + (sample_minutes + 1) * MINUTE_MS).tolist()]
    end = start + len(minutes) * MINUTE_MS
    if times[-1] != end:
        times.append(end)
    minutes = np.ascontiguousarray(minutes, dtype=np.float64)
    bars = np.ascontiguousarray(bars, dtype=np.float64)
    # Where a candle contradicts itself, its open does not tell which price is met first.
    is_sane = (minutes[:, LOW] <= np.minimum(minutes[:, OPEN], minutes[:, CLOSE])) & (
        np.maximum(minutes[:, OPEN], minutes[:, CLOSE]) <= minutes[:, HIGH]
    )
    span, block_span = spans_of(low, high, np.where(is_sane, minutes[:, OPEN], np.nan))
    bar_span, bar_block_span = span, block_span
    if timeframe_minutes == 1 and np.array_equal(bars[warmup_bars:], minutes):
        # The same memory: what a fill reads of the minute is in the cache when the bar is decided.
        minutes = bars[warmup_bars:]
    if timeframe_minutes > 1:
        starts = np.arange(0, len(low), timeframe_minutes)
        bar_span, bar_block_span = spans_of(np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts))
    return Market(
        minutes=_read_only(minutes),
        bars=_read_only(bars),
        warmup_bars=warmup_bars,
        timeframe_minutes=timeframe_minutes,
        span=span,
        block_span=block_span,
        bar_span=bar_span,
        bar_block_span=bar_block_span,
        closes=np.ascontiguousarray(bars[warmup_bars : warmup_bars + len(minutes) // timeframe_minutes, CLOSE]),
        sample_minutes=sample_minutes,
        sample_prices=np.ascontiguousarray(minutes[sample_minutes, CLOSE]),
        sample_times=np.array(times, dtype=np.int64),
    )


def output_buffers(n_bars: int, *, log: bool = False) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the trade buffer and the fill log of one run.

    A trade needs an entry and entries are decided once a bar, so `n_bars + 1` trades always fit. The log is sized for
    ordinary strategies and doubled by the caller when it was too small.
    """
    trades = np.zeros((TRADE_FIELDS, n_bars + 2))
    fills = np.zeros((LOG_FIELDS, 4 * n_bars + 64 if log else 0))
    return trades, fills
