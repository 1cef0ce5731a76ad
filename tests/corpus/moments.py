"""The time of a bar as datetime, date, time of day and text."""

import datetime as dt
from datetime import datetime, timedelta, timezone

import jesse.helpers as jh
import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy

QUIET = ("Saturday", "Sunday")


class Base(Strategy):
    """Enters at the market when `signal` is positive or negative, and leaves when it turns."""

    def hyperparameters(self):
        return [{"name": "n", "type": int, "min": 3, "max": 30, "default": 9}]

    def signal(self):
        return 0

    def should_long(self):
        return self.signal() > 0

    def should_short(self):
        return self.signal() < 0

    def go_long(self):
        self.buy = utils.size_to_qty(self.balance * 0.1, self.price), self.price

    def go_short(self):
        self.sell = utils.size_to_qty(self.balance * 0.1, self.price), self.price

    def update_position(self):
        if (self.is_long and self.signal() < 0) or (self.is_short and self.signal() > 0):
            self.liquidate()


class HourFilter(Base):
    def signal(self):
        now = datetime.utcfromtimestamp(self.time / 1000)
        if now.hour < 8 or now.hour >= 20:
            return 0
        return self.price - ta.sma(self.candles, self.hp["n"])


class WeekdayFilter(Base):
    @property
    def now(self):
        return datetime.fromtimestamp(self.current_candle[0] / 1000, tz=timezone.utc)

    def signal(self):
        if self.now.weekday() in (5, 6):
            return -1 if self.now.isoweekday() == 7 else 0
        return self.price - ta.ema(self.candles, self.hp["n"])


class DayOfTheMonth(Base):
    def signal(self):
        now = datetime.utcfromtimestamp(self.time / 1000)
        if now.day <= 3 and now.month != 2:
            return 0
        return (now.day % 5 - 2) * (now.minute + 1) * (self.price - self.candles[-now.isocalendar()[1], 2])


class OnceADay(Base):
    def __init__(self):
        super().__init__()
        self.last_day = None
        self.open_of_day = 0.0

    def before(self):
        today = datetime.utcfromtimestamp(self.time / 1000).date()
        if today != self.last_day:
            self.last_day = today
            self.open_of_day = self.price

    def signal(self):
        return self.price - self.open_of_day


class TextOfTheDay(Base):
    def __init__(self):
        super().__init__()
        self.vars["day"] = ""

    def before(self):
        day = jh.timestamp_to_date(self.time)
        self.fresh = day != "2019-01-20" and self.index > 20

    def signal(self):
        return self.price - self.candles[-7, 2] if self.fresh else 0


class TimeOfDay(Base):
    def signal(self):
        clock = datetime.utcfromtimestamp(self.time / 1000).time()
        if dt.time(9, 30) <= clock < dt.time(17, 0):
            return self.price - self.candles[-4, 2]
        return 0


class FormattedTime(Base):
    def signal(self):
        now = datetime.utcfromtimestamp(self.time / 1000)
        if now.strftime("%A") in QUIET or now.strftime("%H:%M") < "06:00":
            return 0
        return (1 if int(now.strftime("%H")) % 2 else -1) * (self.price - self.candles[-3, 2])


class TimeSinceEntry(Base):
    def __init__(self):
        super().__init__()
        self.entered = None

    def on_open_position(self, order):
        self.entered = datetime.utcfromtimestamp(self.time / 1000)

    def signal(self):
        if self.is_open and datetime.utcfromtimestamp(self.time / 1000) - self.entered > timedelta(hours=7):
            return -1 if self.is_long else 1
        return self.price - ta.sma(self.candles, self.hp["n"])


class ArrowOfJesse(Base):
    def signal(self):
        now = jh.timestamp_to_arrow(self.time)
        if now.hour == 0 or now.weekday() == 6:
            return 0
        return self.price - self.candles[-5, 2]


class TruncatedToTheHour(Base):
    def signal(self):
        now = datetime.utcfromtimestamp(self.time / 1000)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        hours = (now - midnight).total_seconds() / 3600
        return self.price - self.candles[-1 - int(hours) % 5, 2]


SESSION = {
    "timezone": "America/New_York",
    "hours": {"Mon-Fri": "09:30-16:00", "Sun": "20:00-02:00"},
    "closed": ["2019-02-18", "2019-09-02"],
    "overrides": {"2019-02-20": "10:00-12:00"},
}


class TradingHoursGate(Base):
    def trading_hours(self):
        return SESSION

    def signal(self):
        if not self.is_trading_hours:
            return 0
        return self.price - ta.sma(self.candles, self.hp["n"])

    def should_cancel_entry(self):
        return not self.is_trading_hours


class TradingHoursOfHyperparameter(Base):
    def hyperparameters(self):
        return [
            {"name": "n", "type": int, "min": 3, "max": 30, "default": 9},
            {"name": "closes", "type": int, "min": 12, "max": 23, "default": 18},
        ]

    def trading_hours(self):
        if self.exchange_type == "spot":
            return None
        return {"timezone": "UTC", "hours": {"Mon-Sat": ["00:00-04:00", f"08:00-{self.hp['closes']}:00"]}}

    def signal(self):
        return (self.price - ta.ema(self.candles, self.hp["n"])) * self.is_trading_hours


class OwnTradingHours(Base):
    def signal(self):
        opened = self.closed_candle_open_time
        if not utils.is_in_trading_hours(self.closed_candle_open_time, SESSION) or opened % 7_200_000 == 0:
            return 0
        if not utils.is_in_trading_hours(self.time, SESSION):
            return -1
        return self.price - ta.sma(self.candles, self.hp["n"])


class FilteredByTradingHours(Base):
    def trading_hours(self):
        return SESSION

    def signal(self):
        session = utils.filter_candles_by_hours(self.candles, self.trading_hours())
        if len(session) < 30:
            return 0
        return self.price - ta.sma(session, 10)


class TradingHoursOfAFill(Base):
    def __init__(self):
        super().__init__()
        self.outside = 0
        self.opened = 0

    def trading_hours(self):
        return {"timezone": "Europe/Berlin", "hours": {"Mon-Sun": "07:00-17:00"}}

    def signal(self):
        return self.price - ta.sma(self.candles, self.hp["n"]) - self.outside / 100

    def go_long(self):
        self.buy = utils.size_to_qty(self.balance * 0.1, self.price), self.price * 0.999
        self.take_profit = self.buy[0], self.price * 1.002

    def on_open_position(self, order):
        self.opened = self.closed_candle_open_time
        if not self.is_trading_hours:
            self.outside += 1

    def on_close_position(self, order, closed_trade):
        self.outside -= self.is_trading_hours
        if self.closed_candle_open_time == self.opened:
            self.outside += 2
