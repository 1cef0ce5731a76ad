"""The candles that come with fastbt; where they are from is told in ``sample/README.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "sample"


def sample_names() -> list[str]:
    """Return the names of the bundled candles, for `CandleSet.load`.

    Examples
    --------
    >>> sample_names()
    ['BTC-USD', 'ETH-USD']
    """
    return list(sample_files())


def sample_files() -> dict[str, Path]:
    """Return the file of each bundled symbol."""
    # A file is named symbol and period: BTC-USD-2019.parquet.
    return {path.stem.rpartition("-")[0]: path for path in sorted(_FOLDER.glob("*.parquet"))}
