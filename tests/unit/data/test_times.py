from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.data import iso, timeframe_minutes, to_ms
from fastbt.data.times import common_minutes
from fastbt.errors import SettingsError

T0 = 1_546_300_800_000


@pytest.mark.parametrize(
    "time",
    [
        "2019-01-01",
        " 2019-01-01T00:00 ",
        "2019-01-01 00:00:00",
        "2019-01-01T00:00:00Z",
        "2019-01-01T01:30:00+01:30",
        datetime(2019, 1, 1),
        datetime(2018, 12, 31, 22, tzinfo=timezone(timedelta(hours=-2))),
        datetime(2019, 1, 1, tzinfo=UTC),
        date(2019, 1, 1),
        T0,
        float(T0),
        np.float64(T0),
        np.int64(T0),
    ],
)
def test_to_ms__reads_every_way_to_say_the_same(time):
    ms = to_ms(time)
    assert ms == T0 and type(ms) is int


@pytest.mark.parametrize("time", ["", "01/02/2019", "2019-13-01", None, True, 1.5, float("nan"), float("inf"), [1]])
def test_to_ms__refuses_what_is_no_time(time):
    with pytest.raises(SettingsError, match="finish: wanted .*was"):
        to_ms(time, "finish")


@given(st.integers(0, 250_000_000_000_000))
def test_iso__reads_back(ms):
    assert to_ms(iso(ms)) == ms


def test_iso__of_what_is_no_date_is_the_number():
    assert [iso(x) for x in (float("nan"), float("inf"), 1e300)][:2] == ["nan", "inf"]
    assert iso(1e18) == "1000000000000000000"


def test_timeframes__count_minutes():
    assert timeframe_minutes("3D") == 4320
    assert common_minutes(["45m", "1h"]) == 180
    assert common_minutes(["1h", "4h", "1m"]) == 240
