"""Make the bundled sample in fastbt/data/sample from a folder with BTCUSD-2019.parquet and ETHUSD-2019.parquet.

Usage: ``python tools/make_sample.py FOLDER``
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

SAMPLE = Path(__file__).parent.parent / "fastbt" / "data" / "sample"
MINUTE_MS = 60_000
MID_2019_MS = 1_561_939_200_000


def write(source: Path, target: Path, finish: int | None = None) -> None:
    """Write the candles before `finish` (ms) with the same numbers in fewer bytes."""
    frame = pl.read_parquet(source)
    if finish is not None:
        frame = frame.filter(pl.col("timestamp") < finish)
    if not (frame["timestamp"] % MINUTE_MS == 0).all():
        raise ValueError(f"{source}: a timestamp is not on the minute")
    # Minutes since 1970 instead of milliseconds, and one page a column, save a tenth; prices stay float64.
    small = frame.with_columns((pl.col("timestamp") // MINUTE_MS).cast(pl.Int32))
    small.write_parquet(
        target,
        compression="zstd",
        compression_level=22,
        statistics=False,
        row_group_size=1_000_000,
        data_page_size=2**23,
    )
    back = pl.read_parquet(target).with_columns(pl.col("timestamp").cast(pl.Int64) * MINUTE_MS)
    if not back.equals(frame):
        raise ValueError(f"{target}: what was read back is not what was written")
    absent = (frame["timestamp"][-1] - frame["timestamp"][0]) // MINUTE_MS + 1 - frame.height
    print(f"{target.name}: {frame.height:,} rows, {absent:,} absent minutes, {target.stat().st_size:,} bytes")


def main() -> None:
    """Write both files."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    SAMPLE.mkdir(exist_ok=True)
    write(folder / "BTCUSD-2019.parquet", SAMPLE / "BTC-USD-2019.parquet")
    write(folder / "ETHUSD-2019.parquet", SAMPLE / "ETH-USD-2019H1.parquet", MID_2019_MS)


if __name__ == "__main__":
    main()
