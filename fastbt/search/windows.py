"""How a period is cut into in-sample and out-of-sample parts."""

from __future__ import annotations

from dataclasses import dataclass

from fastbt.data import iso
from fastbt.errors import SettingsError
from fastbt.types import DAY_MS

MODES = ("rolling", "expanding", "anchored")


@dataclass(frozen=True, slots=True)
class Window:
    """One in-sample part and the out-of-sample part after it; ms UTC, ends not included.

    Attributes
    ----------
    number : int
    start, finish : int
        In-sample.
    test_start, test_finish : int
        Out-of-sample.
    live_finish : int
        Until when this window's parameters would have traded: the start of the next window's out-of-sample part, or the
        end of its own, whichever comes first. The stitched result is made of these parts: no day is in it twice.
    """

    number: int
    start: int
    finish: int
    test_start: int
    test_finish: int
    live_finish: int

    def __str__(self) -> str:
        """Return both parts as dates."""
        parts = [(self.start, self.finish), (self.test_start, self.test_finish)]
        return ", tested ".join(f"{iso(first)[:10]} to {iso(last)[:10]}" for first, last in parts)


def split_windows(
    start: int,
    finish: int,
    *,
    in_sample: int,
    out_of_sample: int,
    step: int | None = None,
    mode: str = "rolling",
    gap: int = 0,
    anchor: int | None = None,
    partial: bool = False,
) -> list[Window]:
    """Return the windows of a period.

    Parameters
    ----------
    start, finish : int
        The period, ms UTC.
    in_sample, out_of_sample : int
        Lengths, ms. In-sample parts that grow begin with this length.
    step : int, optional
        From one window to the next, ms; the out-of-sample length if left out.
    mode : {"rolling", "expanding", "anchored"}
        In-sample parts of one length that move on; that grow from `start`; that grow from `anchor`.
    gap : int
        Purge and embargo: ms between in-sample and out-of-sample.
    anchor : int, optional
        Where anchored in-sample parts begin; `start` if left out.
    partial : bool
        Keep a last window whose out-of-sample part the end of the period cuts short.

    Raises
    ------
    SettingsError
        If a length makes no sense, or there is room for no window.

    Examples
    --------
    >>> day = DAY_MS
    >>> found = split_windows(0, 100 * day, in_sample=60 * day, out_of_sample=20 * day, gap=2 * day)
    >>> [(w.start // day, w.finish // day, w.test_start // day, w.test_finish // day) for w in found]
    [(0, 60, 62, 82)]
    >>> found = split_windows(0, 100 * day, in_sample=60 * day, out_of_sample=20 * day, step=10 * day)
    >>> [(w.start // day, w.test_start // day, w.live_finish // day) for w in found]
    [(0, 60, 70), (10, 70, 80), (20, 80, 100)]
    """
    if mode not in MODES:
        raise SettingsError(f"mode wants {', '.join(MODES)}; it was {mode!r}")
    step = out_of_sample if step is None else step
    for name, value in (("in_sample", in_sample), ("out_of_sample", out_of_sample), ("step", step)):
        if value <= 0:
            raise SettingsError(f"{name} wants more than 0 days; it was {value / DAY_MS:g}: the windows would be empty")
    if gap < 0:
        raise SettingsError(f"purge and embargo want days from 0; they were {gap / DAY_MS:g} together")
    begin = start if mode != "anchored" or anchor is None else anchor
    if begin > start:
        raise SettingsError(f"anchor wants a time up to the start {iso(start)}; it was {iso(begin)}")
    tests: list[tuple[int, int]] = []
    at = start + in_sample + gap
    while at + out_of_sample <= finish or (partial and at < finish):
        tests.append((at, min(at + out_of_sample, finish)))
        at += step
    if not tests:
        raise SettingsError(
            f"there is no room for a window: in-sample {in_sample / DAY_MS:g} days, a gap of {gap / DAY_MS:g} and "
            f"out-of-sample {out_of_sample / DAY_MS:g} are more than the {(finish - start) / DAY_MS:g} days from "
            f"{iso(start)} to {iso(finish)}"
        )
    found = []
    for number, (first, last) in enumerate(tests):
        trained = first - gap
        found.append(
            Window(
                number,
                trained - in_sample if mode == "rolling" else begin,
                trained,
                first,
                last,
                min(last, tests[number + 1][0]) if number + 1 < len(tests) else last,
            )
        )
    return found
