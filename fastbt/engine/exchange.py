"""The simulated exchange's books: wallet, margin and assets (specification 3.2 and 3.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np

from fastbt.engine._decimal_reference import subtract_floats, sum_floats
from fastbt.engine.account import Account
from fastbt.engine.jesse_exceptions import InsufficientBalance, InsufficientMargin
from fastbt.engine.orders import BUY, LIMIT, MARKET, SELL, STOP, Order
from fastbt.engine.routes import base_asset, quote_asset

#: Exchanges for which Jesse fixes the settlement currency, whatever the symbols are quoted in.
_SETTLEMENT: Final = {
    "KuCoin USDT Perpetual": "USDT",
    "Bybit USDT Perpetual": "USDT",
    "Bybit USDT Perpetual Testnet": "USDT",
    "Bybit USDC Perpetual": "USDC",
    "Bybit USDC Perpetual Testnet": "USDC",
}


def settlement_currency(exchange: str, symbol: str) -> str:
    """Return what an exchange is settled in: as a rule, the quote asset of the first symbol.

    Examples
    --------
    >>> settlement_currency("Bybit USDC Perpetual", "BTC-USDT"), settlement_currency("Binance Spot", "BTC-USDT")
    ('USDC', 'USDT')
    """
    return _SETTLEMENT.get(exchange, quote_asset(symbol))


class HeldPosition(Protocol):
    """What the margin rule asks of a position."""

    @property
    def is_open(self) -> bool:
        """Whether there is one."""

    @property
    def total_cost(self) -> float:
        """Margin that it uses (quote)."""

    @property
    def pnl(self) -> float:
        """Unrealised profit (quote)."""


class FuturesExchange:
    """A futures account: one wallet, margin by open positions and by working entry orders."""

    type: Final = "futures"

    def __init__(self, account: Account, symbols: list[str], positions: Mapping[str, HeldPosition]) -> None:
        self.fee_rate = account.fee_rate
        # Jesse's names, which its spot account has not.
        self.futures_leverage = self.leverage = account.leverage
        self.futures_leverage_mode = self.mode = account.mode.name.lower()
        self.name = account.exchange
        self.settlement_currency = settlement_currency(account.exchange, symbols[0])
        self.wallet_balance: float = account.starting_balance
        self._positions = positions
        self._bases = [base_asset(symbol) for symbol in symbols]
        self._rows: dict[str, dict[str, list[tuple[float, float]]]] = {
            side: {base: [] for base in self._bases} for side in (BUY, SELL)
        }

    @property
    def assets(self) -> dict[str, float]:
        """The wallet by its currency; a futures account holds nothing else."""
        return {base: 0.0 for base in self._bases} | {self.settlement_currency: self.wallet_balance}

    @property
    def available_margin(self) -> float:
        """Wallet less the margin of positions and working entry orders (quote)."""
        spent: float = 0
        for base in self._bases:
            # By settlement currency, as Jesse looks them up: positions in another quote asset are missed.
            position = self._positions.get(f"{base}-{self.settlement_currency}")
            if position is not None and position.is_open:
                spent += position.total_cost
                spent -= position.pnl
            buys, sells = (abs(_notional(self._rows[side][base])) / self.futures_leverage for side in (BUY, SELL))
            spent += max(buys, sells)
        return self.wallet_balance - spent

    def on_submission(self, order: Order) -> None:
        """Reserve the margin of an entry order."""
        if order.reduce_only:
            return
        if abs(order.qty * order.price) / self.futures_leverage > self.available_margin:
            raise InsufficientMargin(
                f"an order of {round(order.qty * order.price)} wants more margin than the "
                f"{round(self.available_margin)} available; use more leverage or a smaller order"
            )
        self._rows[order.side][base_asset(order.symbol)].append((order.qty, order.price))

    def on_execution(self, order: Order) -> None:
        """Release the margin that an entry order reserved.

        An opening gap has replaced the price by now, so that the row is not found: that margin stays reserved for the
        rest of the run, in Jesse too.
        """
        self._release(order)

    def on_cancellation(self, order: Order) -> None:
        """Release the margin that an entry order reserved."""
        self._release(order)

    def charge_fee(self, notional: float) -> None:
        """Take the fee of a fill from the wallet."""
        self.wallet_balance = self.wallet_balance - abs(notional) * self.fee_rate

    def add_realized_pnl(self, pnl: float) -> None:
        """Book the profit of a reduction."""
        self.wallet_balance = self.wallet_balance + pnl

    def _release(self, order: Order) -> None:
        if order.reduce_only:
            return
        rows = self._rows[order.side][base_asset(order.symbol)]
        for i, (qty, price) in enumerate(rows):
            if qty == order.qty and price == order.price:
                del rows[i]
                return


def _notional(rows: list[tuple[float, float]]) -> float:
    """Return the sum of qty x price, added as numpy adds (pairwise from eight rows on)."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 2)
    total: float = (table[:, 0] * table[:, 1]).sum()
    return total


class SpotExchange:
    """A spot account: quote cash and base assets, every balance a decimal sum."""

    type: Final = "spot"
    leverage: Final = 1
    mode: Final = "spot"

    def __init__(self, account: Account, symbols: list[str]) -> None:
        self.fee_rate = account.fee_rate
        self.name = account.exchange
        self.settlement_currency = quote_asset(symbols[0])
        self.assets: dict[str, float] = {base_asset(symbol): 0.0 for symbol in symbols}
        self.assets[self.settlement_currency] = account.starting_balance
        # What working sell orders promise, by type and symbol.
        self._promised: dict[str, dict[str, float]] = {STOP: {}, LIMIT: {}}

    @property
    def wallet_balance(self) -> float:
        """Quote cash, less what working buy orders reserved."""
        return self.assets[self.settlement_currency]

    @wallet_balance.setter
    def wallet_balance(self, value: float) -> None:
        self.assets[self.settlement_currency] = value

    @property
    def available_margin(self) -> float:
        """The wallet: spot knows no margin."""
        return self.wallet_balance

    def on_submission(self, order: Order) -> None:
        """Reserve the cash of a buy, check the assets of a sell."""
        if order.side == BUY:
            cash = self.wallet_balance
            self.wallet_balance = subtract_floats(cash, abs(order.qty) * order.price)
            if self.wallet_balance < 0:
                raise InsufficientBalance(
                    f"a buy of {abs(order.qty * order.price)} wants more than the {cash} "
                    f"{self.settlement_currency} available"
                )
            return
        self._promise(order, sum_floats)
        if order.type == MARKET:
            wanted = sum_floats(abs(order.qty), self._promised[LIMIT].get(order.symbol, 0))
        else:
            wanted = self._promised[order.type][order.symbol]
        held = self.assets[base_asset(order.symbol)]
        if wanted > held:
            raise InsufficientBalance(
                f"working sell orders of {wanted} want more than the {held} {base_asset(order.symbol)} held"
            )

    def on_execution(self, order: Order) -> None:
        """Exchange cash and assets; the cash of a buy was taken at its submission."""
        base = base_asset(order.symbol)
        if order.side == BUY:
            self.assets[base] = sum_floats(self.assets[base], abs(order.qty) * (1 - self.fee_rate))
            return
        self._promise(order, subtract_floats)
        held = self.assets[base]
        qty = abs(held) if abs(order.qty) > held else abs(order.qty)
        self.wallet_balance = sum_floats(self.wallet_balance, (qty * order.price) * (1 - self.fee_rate))
        self.assets[base] = subtract_floats(self.assets[base], qty)

    def on_cancellation(self, order: Order) -> None:
        """Give back the cash of a buy; take a sell's promise back."""
        if order.side == BUY:
            self.wallet_balance = sum_floats(self.wallet_balance, abs(order.qty) * order.price)
            return
        # Twice, as Jesse does: the sum drifts below zero and later checks become laxer.
        self._promise(order, subtract_floats)
        self._promise(order, subtract_floats)

    def charge_fee(self, notional: float) -> None:
        """Do nothing: the fee is taken from what is bought or received."""

    def add_realized_pnl(self, pnl: float) -> None:
        """Do nothing: profit is what the assets are worth."""

    def _promise(self, order: Order, add: Callable[[float, float], float]) -> None:
        if order.type != MARKET:
            sums = self._promised[order.type]
            sums[order.symbol] = add(sums.get(order.symbol, 0), abs(order.qty))
