"""Every strategy of the corpus under Jesse and compiled (as plain Python, with NUMBA_DISABLE_JIT=1): one line each."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import corpus_check

from fastbt.oracle import JesseProcess
from fastbt.oracle.against_jesse import verify


def main(n_sets: int, *wanted: str) -> int:
    """Verify each strategy on `n_sets` random sets, or those that have one of the texts in their names."""
    report = {}
    with JesseProcess() as process:
        for strategy in corpus_check.strategies():
            label = f"{Path(strategy.split(':')[0]).stem}.{strategy.split(':')[1]}"
            if wanted and not any(text in label for text in wanted):
                continue
            session = corpus_check.session(strategy, 240)
            with contextlib.redirect_stdout(io.StringIO()):
                found = verify(session, n=n_sets, process=process)
            report[label] = {"identical": found.identical, "trades": found.n_trades}
            differing = "" if found.identical else str(found.differences[0])
            print(
                f"{'ok ' if found.identical else 'BAD'} {label}: {found.n_trades} trades {differing}", file=sys.stderr
            )
    print(json.dumps(report))
    return int(not all(each["identical"] for each in report.values()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1, *sys.argv[2:]))
