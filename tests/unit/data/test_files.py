import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from candle_generators import T0, candle_arrays, make_candles
from hypothesis import given

from fastbt.data import CandleSet
from fastbt.errors import CandleError, SettingsError

JESSE_ORDER = ["timestamp", "open", "close", "high", "low", "volume"]
ROWS = [[T0, 10.5, 11, 12, 9, 1], [T0 + 60_000, 11, 12, 13.25, 10, 2]]
EXPECTED = [[float(x) for x in row] for row in ROWS]


def frame_of(array):
    return pl.DataFrame(dict(zip(JESSE_ORDER, array.T, strict=True))).with_columns(pl.col("timestamp").cast(pl.Int64))


def csv(times, header="time,open,high,low,close,volume"):
    """Return the rows of `ROWS` in the usual column order, at other times."""
    return f"{header}\n{times[0]},10.5,12,9,11,1\n{times[1]},11,13.25,10,12,2\n"


@given(candle_arrays(gaps=True))
def test_files__give_back_every_bit(tmp_path_factory, array):
    folder = tmp_path_factory.mktemp("files")
    frame = frame_of(array)
    frame.select(reversed(JESSE_ORDER)).write_parquet(folder / "a.parquet")
    frame.write_csv(folder / "a.csv")
    (folder / "b.csv").write_text("\n".join(",".join(map(repr, row)) for row in array.tolist()))
    for name in ("a.parquet", "a.csv", "b.csv"):
        np.testing.assert_array_equal(CandleSet.load(folder / name).array, array)


@pytest.mark.parametrize(
    "times",
    [
        (1546300800000, 1546300860000),
        (1546300800, 1546300860),
        (1546300800.0, "1.54630086e9"),
        (1546300800000000, 1546300860000000),
        (25771680, 25771681),
        ("2019-01-01 00:00:00", "2019-01-01 00:01:00"),
        ("2019-01-01T00:00:00", "2019-01-01T00:01:00"),
        ("2019-01-01T00:00:00Z", "2019-01-01T00:01:00Z"),
        ("2019-01-01 00:00:00 UTC", "2019-01-01 00:01:00 UTC"),
        ("2019-01-01", "2019-01-01 00:01"),
        ("2019-01-01T02:00:00.000+02:00", "2019-01-01T02:01:00.000+0200"),
        ("2019-01-01 00:00+00:00", "2019-01-01T00:01Z"),
        ('"2019-01-01 00:00:00"', ' "2019-01-01 00:01:00"'.strip()),
    ],
)
def test_from_csv__understands_times(write, times):
    assert CandleSet.from_csv(write("x.csv", csv(times))).array.tolist() == EXPECTED


@pytest.mark.parametrize(
    "header",
    [
        "Timestamp,Open,High,Low,Close,Volume",
        "open_time,o,h,l,c,v",
        "Open time,open,high,low,close,Base Volume",
        "DATE, open , high,low,close,vol",
        '"datetime","open","high","low","close","volume"',
    ],
)
def test_from_csv__understands_column_names(write, header):
    times = ("2019-01-01 00:00:00", "2019-01-01 00:01:00")
    assert CandleSet.from_csv(write("x.csv", csv(times, header))).array.tolist() == EXPECTED


def test_from_csv__ignores_other_columns_and_prefers_the_best_name(write):
    text = "unix,date,symbol,open,high,low,close,Volume,Volume USD\n"
    text += "1546300800,nonsense,BTC/USD,10.5,12,9,11,1,7\n1546300860,nonsense,BTC/USD,11,13.25,10,12,2,8\n"
    with pytest.raises(CandleError, match="column 'date', row 0 .*was 'nonsense'"):
        CandleSet.from_csv(write("x.csv", text))
    text = text.replace("unix", "timestamp")
    assert CandleSet.from_csv(write("x.csv", text)).array.tolist() == EXPECTED


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_from_csv__understands_separators_and_line_ends(write, separator, newline):
    text = csv((T0, T0 + 60_000)).replace(",", separator).replace("\n", newline)
    assert CandleSet.from_csv(write("x.csv", text)).array.tolist() == EXPECTED
    assert CandleSet.from_csv(write("x.csv", b"\xef\xbb\xbf" + text.encode())).array.tolist() == EXPECTED


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zst", ".txt", ".CSV"])
def test_load__reads_compressed_csv(tmp_path, suffix):
    array = make_candles(20)
    text = frame_of(array).write_csv().encode()
    if suffix == ".csv.gz":
        import gzip

        text = gzip.compress(text)
    elif suffix == ".csv.zst":
        sink = tmp_path / "sink.zst"
        frame_of(array).lazy().sink_csv(sink, compression="zstd", check_extension=False)
        text = sink.read_bytes()
    (tmp_path / f"x{suffix}").write_bytes(text)
    np.testing.assert_array_equal(CandleSet.load(tmp_path / f"x{suffix}").array, array)


@pytest.mark.parametrize(("unit", "scale"), [("s", 1e-3), ("ms", 1.0), ("us", 1e3), ("min", 1 / 60_000)])
def test_from_csv__takes_the_unit_it_is_told(write, unit, scale):
    # At 01:00 and 01:01 on the first day of 1970 no unit can be told from the size.
    times = [int(ms * scale) for ms in (3_600_000, 3_660_000)]
    path = write("x.csv", csv(times))
    assert CandleSet.from_csv(path, unit=unit).array[:, 0].tolist() == [3_600_000, 3_660_000]
    if unit != "us":
        with pytest.raises(
            CandleError, match=r"wanted timestamps in .*column 'time'; the first is .*Say which with unit="
        ):
            CandleSet.from_csv(path)


def test_from_csv__keeps_what_is_not_on_the_minute(write):
    with pytest.raises(CandleError, match=r"x\.csv: row 1 \(2019-01-01T00:01:00\.500Z\): .*on the minute"):
        CandleSet.from_csv(write("x.csv", csv((T0 * 1000, T0 * 1000 + 60_500_000))))


@pytest.mark.parametrize(
    "kind",
    [
        pl.Datetime("ms"),
        pl.Datetime("us"),
        pl.Datetime("ns"),
        pl.Datetime("us", "UTC"),
        pl.Datetime("ms", "Asia/Tokyo"),
    ],
)
def test_from_parquet__understands_datetimes(tmp_path, kind):
    array = make_candles(5)
    times = [datetime(2019, 1, 1, tzinfo=UTC) + timedelta(minutes=k) for k in range(5)]
    column = pl.Series(times, dtype=pl.Datetime("us", "UTC"))
    column = column.dt.convert_time_zone(kind.time_zone) if kind.time_zone else column.dt.replace_time_zone(None)
    frame_of(array).with_columns(timestamp=column.cast(kind)).write_parquet(tmp_path / "x.parquet")
    np.testing.assert_array_equal(CandleSet.load(tmp_path / "x.parquet").array, array)


def test_from_parquet__understands_decimals_whole_numbers_and_text(tmp_path):
    frame = pl.DataFrame(
        {
            "timestamp": [str(row[0]) for row in ROWS],
            "open": pl.Series(["10.5", "11"]).cast(pl.Decimal(10, 4)),
            "close": pl.Series([11, 12], dtype=pl.Int16),
            "high": ["12", " 13.25 "],
            "low": pl.Series([9, 10], dtype=pl.Float32),
            "volume": pl.Series(["1", "2"], dtype=pl.Categorical),
        }
    )
    frame.write_parquet(tmp_path / "x.parquet")
    assert CandleSet.load(tmp_path / "x.parquet").array.tolist() == EXPECTED


GOOD = "timestamp,open,close,high,low,volume\n1546300800000,1,1,1,1,1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "1546300860000,1,one,1,1,1\n", r"wanted a number in column 'close', row 1 .*; was 'one'\. Correct"),
        (GOOD + "1546300860000,1,1,\"1,5\",1,1\n", r"column 'high', row 1 .*; was '1,5'"),
        (GOOD + "1546300860000,1,1,,1,1\n", r"column 'high', row 1 .*; was empty"),
        (GOOD + "1546300860000,1,1\n", r"column 'high', row 1 .*; was empty"),
        (GOOD + "tomorrow,1,1,1,1,1\n", r"wanted a number in column 'timestamp', row 1 .*; was 'tomorrow'"),
        (GOOD.replace("1546300800000", "01.02.2019"), r"wanted an ISO date and time.*row 0 .*was '01\.02\.2019'"),
        (GOOD.replace("1546300800000", "2019-02-30"), r"wanted an ISO date and time.*was '2019-02-30'"),
        (GOOD.replace("1546300800000", ""), r"column 'timestamp', row 0 .*was empty"),
        (GOOD + "1546300860000,1,1,1,1,1,8,9\n", r"same number of fields in every row"),
        (GOOD + "1546300860000,1,1,1,1,nan\n", r"row 1 \(2019-01-01T00:01:00Z\): wanted a finite volume"),
        (GOOD + "1546300800000,1,1,1,1,1\n", r"row 1 .*a duplicate"),
        ("", "is empty"),
        ("\n", "empty|no 'timestamp'"),
        ("timestamp,open,close,high,low,volume\n", "no row below the column names"),
        ("timestamp,open,close,hihg,low,volume\n1,1,1,1,1,1\n", r"no 'high' .*has: timestamp, .*Did you mean 'hihg'"),
        ("price,open,close,high,low,volume\n1,1,1,1,1,1\n", r"no 'timestamp' \(also known as open_time, .*date"),
        ("open,Open,close,high,low,volume\n1,1,1,1,1,1\n", r"each column once; columns 'open' and 'Open'"),
        ("1546300800000,1,1,1,1\n", r"exactly 6 numeric columns in Jesse's order.*was 5 numeric columns without names"),
        ("1546300800000,1,1,1,1,1,1\n", "was 7 numeric columns without names"),
        ("1546300800000,10,12,9,11,1\n", r"wanted high >= low; was high 9\.0, low 11\.0.*Jesse's order"),
    ],
)  # fmt: skip
def test_from_csv__names_what_is_wrong(write, text, message):
    path = write("x.csv", text)
    with pytest.raises(CandleError, match=message) as error:
        CandleSet.load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.csv.gz"])
def test_load__refuses_bytes_that_are_no_table(write, name):
    with pytest.raises(CandleError, match=rf"{name}: wanted a .*cannot be read as one"):
        CandleSet.load(write(name, b"\x1f\x8b\xff\xfe\x00garbage\x80\x81,,\n\xff"))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("close", ["1", "x"], r"wanted a number in column 'close', row 1 .*was 'x'"),
        ("close", [[1.0], [2.0]], "wanted numbers in column 'close'; was of type List"),
        ("close", [True, False], "wanted numbers in column 'close'; was of type Boolean"),
        ("close", [1.0, None], "wanted a number in column 'close', row 1 .*was empty"),
        ("timestamp", [True, False], "wanted times in column 'timestamp'; was of type Boolean"),
        ("timestamp", [None, datetime(2019, 1, 1)], "wanted a time in column 'timestamp', row 0 .*was empty"),
        ("timestamp", [None, T0], "wanted a number in column 'timestamp', row 0 .*was empty"),
    ],
)
def test_from_parquet__names_what_is_wrong(tmp_path, column, values, message):
    frame_of(make_candles(2)).with_columns(pl.Series(column, values)).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(CandleError, match=message):
        CandleSet.load(tmp_path / "x.parquet")


def test_load__names_the_files_and_samples_there_are(write):
    path = write("candles.csv", GOOD)
    with pytest.raises(SettingsError, match=r"there is no '.*candels\.csv'\. Did you mean 'candles\.csv'"):
        CandleSet.load(path.with_name("candels.csv"))
    with pytest.raises(SettingsError, match=r"there is no '.*no-such-folder.*x\.parquet'"):
        CandleSet.load(path.parent / "no-such-folder" / "x.parquet")
    with pytest.raises(SettingsError, match=r"samples BTC-USD, ETH-USD; was 'btc-usd'\. Did you mean 'BTC-USD'"):
        CandleSet.load("btc-usd")
    with pytest.raises(SettingsError, match=r"one of the samples BTC-USD, ETH-USD; was 'DOGE'\.$"):
        CandleSet.load("DOGE")
    with pytest.raises(SettingsError, match=r"ends in \.parquet, .*\.csv.*; was '.*x\.xlsx'"):
        CandleSet.load(write("x.xlsx", b""))
    (path.parent / "folder.csv").mkdir()
    with pytest.raises(SettingsError, match=r"folder\.csv' is a folder"):
        CandleSet.load(path.parent / "folder.csv")


def test_load__refuses_an_unknown_unit(write):
    for name in ("x.csv", "x.parquet"):
        with pytest.raises(SettingsError, match=r"unit: wanted one of min, s, ms, us; was 'sec'"):
            CandleSet.load(write(name, GOOD), unit="sec")


def test_load__of_one_row(write):
    assert len(CandleSet.load(write("x.csv", GOOD))) == 1


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTC-USDT.csv", "BTC-USDT"),
        ("eth-usd-2019.csv", "ETH-USD"),
        ("ETHUSD-2018.csv", "ETH-USD"),
        ("btcusdt_1m.csv", "BTC-USDT"),
        ("BTCUSDT-1m-2024-01.csv", "BTC-USDT"),
        ("Binance_BTC_USDT.csv", "BTC-USDT"),
        ("kraken-sol-eur-data.csv", "SOL-EUR"),
        ("SOL-BRL.csv", "SOL-BRL"),
        ("candles.csv", "BASE-QUOTE"),
        ("2024-01.csv", "BASE-QUOTE"),
    ],
)
def test_load__tells_the_symbol_from_the_file_name(write, name, symbol):
    path = write(name, GOOD)
    assert CandleSet.load(path).symbol == symbol
    named = CandleSet.load(path, symbol="SOL-EUR", exchange="Kraken")
    assert (named.symbol, named.exchange) == ("SOL-EUR", "Kraken")


def test_data__is_cheap_to_import():
    code = """
import sys
import fastbt.data
assert not {"numpy", "polars", "numba"} & set(sys.modules), sorted(sys.modules)
assert "CandleSet" in dir(fastbt.data)
candles = fastbt.data.CandleSet.load("ETH-USD").fill_gaps()
candles.sha256, candles.gaps, candles.between("2019-02-01", "2019-03-01")
assert "numba" not in sys.modules
assert not {"pandas", "pyarrow"} & set(sys.modules)
candles.resample("1h")
assert "numba" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_data__has_only_the_names_it_tells():
    import fastbt.data

    for name in fastbt.data.__all__:
        assert getattr(fastbt.data, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'CandleSets'"):
        fastbt.data.CandleSets  # noqa: B018
