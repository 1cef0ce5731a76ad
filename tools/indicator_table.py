"""Write docs/indicators.md: one row for every indicator, from the registry.

>>> arguments_of(REGISTRY["bollinger_bands"])
'period=20, devup=2, devdn=2, matype=0, devtype=0, source_type="close"'
>>> memory_of(REGISTRY["sma"]), cost_of(REGISTRY["sma"])
('rolled', 'n W, side by side')
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import fastbt.indicators
from fastbt.indicators import REGISTRY, Indicator

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "indicators.md"
#: What `bench/indicators_beside_peers.py --json` measured.
COSTS = ROOT / "bench" / "indicator_costs.json"

_CONVOLVE = "np.convolve: BLAS adds long kernels in an order of its own"
_DOT = "np.dot, np.tensordot or LAPACK: the order of additions is BLAS's"
_SCIPY = "SciPy: changes with its version"
_POWER = "np.power: vector units round it differently"
#: Those that call what Jesse calls, because no kernel can promise the same last bit on every machine.
TOLERANCE = {
    "acosc": _CONVOLVE,
    "alma": _DOT,
    "hurst_exponent": "SciPy's filters and LAPACK",
    "kurtosis": _SCIPY,
    "linearreg_angle": _DOT,
    "linearreg_intercept": _DOT,
    "median_ad": _SCIPY,
    "mfi": _CONVOLVE,
    "natr": _CONVOLVE,
    "rsmk": _POWER,
    "skew": _SCIPY,
    "trima": _CONVOLVE,
    "tsf": _DOT,
    "tsi": _CONVOLVE,
    "ui": _CONVOLVE,
    "ultosc": _CONVOLVE,
    "volume": _CONVOLVE,
}

#: Those for which Jesse raises an exception with fewer rows than they need.
JESSE_RAISES = frozenset(
    {
        "alma",
        "apo",
        "bollinger_bands",
        "devstop",
        "er",
        "eri",
        "fwma",
        "hurst_exponent",
        "ichimoku_cloud_seq",
        "kaufmanstop",
        "kdj",
        "keltner",
        "kurtosis",
        "ma",
        "mab",
        "mean_ad",
        "median_ad",
        "minmax",
        "natr",
        "ppo",
        "pwma",
        "rvi",
        "sinwma",
        "skew",
        "squeeze_momentum",
        "support_resistance_with_breaks",
        "swma",
        "tsf",
        "ttm_trend",
        "vlma",
        "zscore",
    }
)

#: Versions that the page names.
_SHOWN = ("python", "numba", "numpy")

#: Sums over all visible rows: they never forget.
CUMULATIVE = frozenset({"ad", "nvi", "obv", "pvi", "wad", "vwap"})

#: The way decides, by comparisons and by weights that change: two starts may stay apart, or meet and be equal.
PATH = frozenset(
    """bandpass emd fisher frama jma kama kvo lrsi maaq mama mcginley_dynamic rsx sar supertrend vidya
    vlma itrend damiani_volatmeter edcf safezonestop support_resistance_with_breaks ttm_squeeze""".split()
)

#: Windows of the last rows whose sums are rolled from the first visible row: its place is in the last bits.
ROLLED = frozenset(
    """ao bollinger_bands bollinger_bands_width cfo cg chop cmo dpo fosc kst qstick sma squeeze_momentum vosc
    vpci vwma vwmacd""".split()
)

HEAD = """# Indicators

Written by `tools/indicator_table.py`; do not edit.

`from fastbt import indicators as ta` has the {count} functions of `jesse.indicators` with Jesse's names, arguments and
results. Those on candles take them first (`beta` and `rsmk` two of them); `sequential` is left out here.

**Equal to Jesse**: *bit for bit* means Jesse's bits, by loops of our own that add in Jesse's order and need only the C
library's `exp`, `log` and the like, as Jesse does. The others call the same function of numpy or SciPy as Jesse: the
same bits on the same machine, but from one machine to another compare with a tolerance of 1e-9, for the reason given.
Averages and deviations chosen by `matype` and `devtype` are as exact as that average or `median_ad` is.
`tests/parity/test_indicators_wide.py` holds all of this against the installed Jesse: real candles of BTC and ETH,
made-up ones, prices that stand still, no volume, unknown values, few rows, random arguments, several warm-up windows.

**Memory**: what a value depends on.

- *window*: the last rows, complete in themselves.
- *rolled*: the last rows, but through sums that are carried on from the first visible row, which is in the last bits.
- *recursive*: averages of averages, which forget the first visible row little by little.
- *path*: the way decides; two starts may never meet.
- *cumulative*: all visible rows.
- *by matype*: as that average.
- *non-causal*: Jesse's older values change with new rows; fastbt gives at each bar what Jesse gives there.

Without `sequential` the first visible row is `warm_up_candles` rows back, and another one at every bar.

**Cost** of the series that a backtest sees, without `sequential`, `n` bars and `W` visible rows: *n* is one pass,
because no value depends on rows that are out of sight; *n W, side by side* begins anew for every bar, many bars in the
vector registers at once; *n W* begins anew for every bar. **ns a bar** is what a bar of one series costs with the
defaults, with `sequential=True` and then without it (240 visible rows): processor time of one core, {rows} bars of
BTC-USD 1h, {machine}. `bench/indicators_beside_peers.py` measures it. `indicator_window="full"`
([how it works](how-it-works.md#what-identical-means)) gives the first for the second, at the price of Jesse's bits.

**Runs**: *compiled*, or *numpy*, which takes longer and cannot be called on a candle that is still forming. *Both*
depends on the arguments.

**With fewer rows than it needs** an indicator is NaN, or what its notes say, as in Jesse. Where Jesse raises an
exception instead, marked ⚠, fastbt gives NaN for what is not known, so that a series can begin before the strategy
does. Where Jesse's machine code ends the whole process (`sar` of one row, `chop` with more `drift` than rows, `edcf` of
exactly `2 * period` rows, `cg` of `period + 1`, `ichimoku_cloud` with a `displacement` above 81) it is NaN or the value
of the formula too. Candles in which something is NaN give Jesse's values, except the non-sequential `donchian`.

| name | arguments | returns | equal to Jesse | memory | cost | ns a bar | runs |
|---|---|---|---|---|---|---|---|
"""


def arguments_of(described: Indicator) -> str:
    """Return the arguments with their defaults."""
    shown = []
    for each in described.signature.parameters.values():
        if each.name == "sequential":
            continue
        default = f'"{each.default}"' if isinstance(each.default, str) else each.default
        shown.append(f"{each.name}={default}")
    return ", ".join(shown)


def memory_of(described: Indicator) -> str:
    """Return what a value depends on."""
    if not described.prefix_stable or described.whole is not None:
        return "non-causal"
    if described.lookback is not None:
        return f"window: {int(described.lookback(*described.encode()[1]))}"
    if any(each.endswith("matype") for each in described.parameters) and described.name not in PATH:
        return "by matype"
    for word, names in (("cumulative", CUMULATIVE), ("path", PATH), ("rolled", ROLLED)):
        if described.name in names:
            return word
    return "recursive"


def cost_of(described: Indicator) -> str:
    """Return how many steps the series of a backtest takes."""
    if described.prefix_stable and (described.lookback is not None or not described.sliced):
        return "n"
    return "n W, side by side" if described.windowed is not None else "n W"


def runs_of(described: Indicator) -> str:
    """Return whether it is compiled."""
    if described.kernel is None:
        return "numpy"
    return "compiled" if described.python is None else "both"


def _two_digits(number: float) -> str:
    """Return a number as people read it, rounded to two digits.

    >>> _two_digits(2.345), _two_digits(41_870.0)
    ('2.3', '42,000')
    """
    return f"{float(f'{number:.2g}'):,.10g}"


def measured() -> tuple[dict[str, str], str, str]:
    """Return the nanoseconds a bar of every indicator that was measured, of how many bars, and on what."""
    found = json.loads(COSTS.read_text())
    per_bar = {
        each["name"]: " / ".join(_two_digits(each[form] / found["rows"] * 1e9) for form in ("fastbt", "windowed"))
        for each in found["indicators"]
    }
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items() if name in _SHOWN)
    return per_bar, f"{found['rows']:,}", f"{found['processor']}, {versions}"


def text() -> str:
    """Return the whole page."""
    own = {name: each for name, each in REGISTRY.items() if getattr(fastbt.indicators, name, None) is each.function}
    per_bar, rows, machine = measured()
    lines = [HEAD.format(count=len(own), rows=rows, machine=machine)]
    for name, described in sorted(own.items()):
        equal = f"1e-9; {TOLERANCE[name]}" if name in TOLERANCE else "bit for bit"
        returns = "value" if described.record is None else ", ".join(described.fields)
        shown = f"`{name}`" + (" ⚠" if name in JESSE_RAISES else "")
        classes = (memory_of(described), cost_of(described), per_bar.get(name, "-"), runs_of(described))
        cells = (shown, f"`{arguments_of(described)}`", returns, equal, *classes)
        lines.append("| " + " | ".join(cells).replace("``", "") + " |\n")
    return "".join(lines)


def main() -> None:
    """Write the page, or with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is out of date")
    if parser.parse_args().check:
        raise SystemExit(0 if TARGET.exists() and TARGET.read_text() == text() else f"{TARGET} is out of date")
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text())


if __name__ == "__main__":
    main()
