"""How each run of a sweep ended: codes, in words when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from fastbt.engine import layout
from fastbt.types import UNSUPPORTED_REASONS, Float2D, Status

NOT_RUN: Final = "not run"
#: Codes beside those of `Status`.
CODE_NOT_RUN: Final = -1
CODE_INFEASIBLE: Final = -2


def status_text(code: int, bar: int, time: int) -> str:
    """Return how a run ended, in words.

    Examples
    --------
    >>> status_text(0, 0, 0)
    'ok'
    >>> status_text(4, 17, 1546300800000)
    'failed: InsufficientMargin at bar 17 (2019-01-01T00:00 UTC)'
    """
    if code == CODE_NOT_RUN:
        return NOT_RUN
    status = Status(code)
    if status == Status.OK:
        return "ok"
    moment = np.datetime64(time, "ms").astype("datetime64[m]")
    if status.jesse_exception is not None:
        return f"failed: {status.jesse_exception} at bar {bar} ({moment} UTC)"
    return f"unsupported: {UNSUPPORTED_REASONS[status]}, at bar {bar} ({moment} UTC)"


class Statuses(Sequence[str]):
    """How each run ended, in words: "ok", "infeasible: ...", "failed: ...", "unsupported: ..." or "not run".

    Parameters
    ----------
    outcomes : ndarray, shape (n, OUTCOME_FIELDS)
        NaN where a set was not run.
    infeasible : mapping
        Why sets could not run, by row.

    Attributes
    ----------
    codes : ndarray of int16, shape (n,)
        `Status`, CODE_NOT_RUN or CODE_INFEASIBLE.
    """

    def __init__(self, outcomes: Float2D, infeasible: Mapping[int, str] | None = None) -> None:
        known = ~np.isnan(outcomes[:, layout.OUTCOME_STATUS])
        self.codes = np.where(known, outcomes[:, layout.OUTCOME_STATUS], CODE_NOT_RUN).astype(np.int16)
        self._infeasible = dict(infeasible or {})
        if self._infeasible:
            self.codes[list(self._infeasible)] = CODE_INFEASIBLE
        # When and where only of those that something stopped.
        stopped = np.flatnonzero(self.codes > 0)
        bars = outcomes[stopped, layout.OUTCOME_BAR].astype(np.int64).tolist()
        times = outcomes[stopped, layout.OUTCOME_TIME].astype(np.int64).tolist()
        self._moments = dict(zip(stopped.tolist(), zip(bars, times, strict=True), strict=True))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        code = int(self.codes[row])
        row = row % len(self.codes)
        if code == CODE_INFEASIBLE:
            return f"infeasible: {self._infeasible[row]}"
        bar, time = self._moments.get(row, (0, 0))
        return status_text(code, bar, time)

    def __iter__(self) -> Iterator[str]:
        ok = self.codes == 0
        for row, fine in enumerate(ok.tolist()):
            yield "ok" if fine else self[row]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Statuses({', '.join(f'{n:,} {what}' for what, n in self.counts().items() if n) or 'none'})"

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """Which sets completed."""
        result: npt.NDArray[np.bool_] = self.codes == 0
        return result

    def counts(self) -> dict[str, int]:
        """Return how many sets are ok, infeasible, failed, unsupported and not run."""
        return count_codes(self.codes)


def count_codes(codes: npt.NDArray[Any]) -> dict[str, int]:
    """Return how many sets are ok, infeasible, failed, unsupported and not run.

    Examples
    --------
    >>> count_codes(np.array([0, 0, 4, CODE_INFEASIBLE]))
    {'ok': 2, 'infeasible': 1, 'failed': 1, 'unsupported': 0, 'not run': 0}
    """
    return {
        "ok": int(np.count_nonzero(codes == 0)),
        "infeasible": int(np.count_nonzero(codes == CODE_INFEASIBLE)),
        "failed": int(np.count_nonzero((codes > 0) & (codes < Status.FLIP))),
        "unsupported": int(np.count_nonzero(codes >= Status.FLIP)),
        "not run": int(np.count_nonzero(codes == CODE_NOT_RUN)),
    }
