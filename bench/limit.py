"""fastbt's kernel beside the least that the common workload costs: a loop in C that simulates no exchange.

    uv run --group test python bench/limit.py [--bars 100000] [--rounds 5]

The section "limit" of `fastbt bench` alone, as JSON. Needs gcc.
"""

from __future__ import annotations

import argparse
import json
import sys

from fastbt.interfaces._bench_limit import beside_c
from fastbt.interfaces._bench_parts import machine


def main() -> int:
    """Compare, then time in turn; return 1 if an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    section = beside_c(options.bars, rounds=options.rounds, say=lambda text: print(text, file=sys.stderr))
    print(json.dumps({"machine": machine(1), **section.to_dict()}, indent=1))
    return 0 if section.passed else 1


if __name__ == "__main__":
    sys.exit(main())
