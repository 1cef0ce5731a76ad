"""Write the README's table of speed from a file of `fastbt bench`: every figure comes from the file.

    fastbt bench --out bench.json
    python tools/bench_table.py bench.json              # print it
    python tools/bench_table.py bench.json README.md    # between the marks <!-- bench --> and <!-- end of bench -->

>>> times(12345.6), times(151.2), times(2.345)
('12,300', '151', '2.3')
>>> short(0.2345), short(47.71), short(308.2), short(12000.4)
('0.23', '48', '308', '12,000')
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench -->\n", "<!-- end of bench -->\n"

Document = Mapping[str, Any]


def times(ratio: float) -> str:
    """Return a ratio with two or three digits: more are noise."""
    if ratio < 10:
        return f"{ratio:.1f}"
    digits = 3 - 1 - math.floor(math.log10(ratio))
    return f"{round(ratio, digits):,.0f}"


def short(value: float) -> str:
    """Return a figure with two or three digits."""
    if value < 10:
        return f"{value:.2g}" if value < 1 else f"{value:.1f}"
    return f"{round(value, min(0, 2 - math.floor(math.log10(value)))):,.0f}"


class Figures:
    """Finds what the table shows.

    Parameters
    ----------
    document : mapping
        What `fastbt bench --out` or `--json` has written.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.sections = {each["key"]: each for each in document["sections"] if not each["skipped"]}

    def row(self, section: str, key: str) -> Document | None:
        """Return a timed row, or None if it was not measured."""
        return self._find(section, "rows", key)

    def figure(self, section: str, key: str) -> Document | None:
        """Return a figure, or None if it was not measured."""
        return self._find(section, "figures", key)

    def _find(self, section: str, kind: str, key: str) -> Document | None:
        found = self.sections.get(section, {kind: []})[kind]
        return next((each for each in found if each["key"] == key), None)


def speed_lines(figures: Figures) -> Iterator[str]:
    """Yield the rows of the table of speed."""
    for key, section in figures.sections.items():
        if not key.startswith("jesse "):
            continue
        ours, theirs = figures.row(key, "sweep"), figures.row(key, "jesse")
        if ours and theirs:
            what = f"{section['title'].split(',')[0]}, a year of {key.split()[1]}, {ours['sets']:,} sets"
            note = "its trades, some sets"
            yield _line(what, ours, "Jesse, fast mode, 1 core", theirs, note)
    pairs = [
        (
            "common",
            "vectorbt",
            "crossover, long and short, with stops",
            "vectorbt, chunks of 50",
            "its profits, each set",
        ),
        (
            "peers raptorbt",
            "raptorbt",
            "crossover, long only, with stops",
            "raptorbt, batches",
            "its profits, each set",
        ),
        ("peers chidoribt", "chidoribt", "entries, stops at closes", "chidoribt, fast scan", "its profits, each set"),
    ]
    for section, key, what, library, note in pairs:
        ours = figures.row(section, "sweep")
        theirs = figures.row(section, key)
        if ours and theirs:
            yield _line(f"{what}, {ours['bars']:,} bars, {ours['sets']:,} sets", ours, library, theirs, note)
    yield from _most_sets(figures)


def _most_sets(figures: Figures) -> Iterator[str]:
    """Yield the largest size of the common workload that vectorbt was timed on, beyond the usual one."""
    rows = figures.sections.get("scaling sets", {"rows": []})["rows"]
    theirs = [row for row in rows if row["library"] == "vectorbt"]
    if not theirs:
        return
    most = max(theirs, key=lambda row: row["sets"])
    usual = figures.row("common", "sweep")
    ours = figures.row("scaling sets", f"{most['bars']} {most['sets']}")
    if ours and (usual is None or most["sets"] > usual["sets"]):
        what = f"crossover, long and short, with stops, {ours['bars']:,} bars, {ours['sets']:,} sets"
        yield _line(what, ours, "vectorbt, chunks of 50", most, "its profits, some sets")


def _line(what: str, ours: Document, library: str, theirs: Document, same: str) -> str:
    # By the bar and set: Jesse runs one set at a time.
    ratio = theirs["ns_per_bar_and_set"] / ours["ns_per_bar_and_set"]
    cpu, theirs_cpu = ours["cpu_ns_per_bar_and_set"], theirs["cpu_ns_per_bar_and_set"]
    by_cpu = times(theirs_cpu / cpu) if cpu and theirs_cpu else ""
    return (
        f"| {what} | {short(ours['ns_per_bar_and_set'])} | {library} | {short(theirs['ns_per_bar_and_set'])} "
        f"| {times(ratio)} | {by_cpu} | {same} |"
    )


def other_lines(figures: Figures) -> Iterator[str]:
    """Yield rows of what is no comparison of times by the bar and set: the limit, large sweeps, memory, starts."""
    ours, loop, ratio = figures.row("limit", "evaluator"), figures.row("limit", "c"), figures.figure("limit", "times C")
    if ours and loop and ratio:
        cpu = [short(each["cpu_ns_per_bar_and_set"]) for each in (ours, loop)]
        what = f"common workload on one core, {ours['bars']:,} bars, {ours['sets']:,} sets, beside a loop in C alone"
        yield f"| {what} | {cpu[0]} ns a bar and set, C {cpu[1]}: {times(ratio['value'])} times |"
    year = figures.figure("scaling year", "year seconds")
    if year:
        named = [f"{short(year['value'])} s"]
        for key, text in (("peak", "{:,.0f} MB of memory"), ("disk", "{:,.0f} MB on disk")):
            found = figures.figure("scaling year", f"year {key}")
            named += [text.format(found["value"])] if found else []
        yield f"| {year['what'].partition(', kept')[0]}, in one command | {', '.join(named)} |"
    growth = figures.figure("memory", "year growth")
    if growth:
        yield f"| memory from the first thousand sets of a sweep to its end | {growth['value']:+.1f} % |"
    peaks = [
        figures.figure("memory", key) for key in ("fastbt 1000", "fastbt 10000", "vectorbt", "raptorbt", "chidoribt")
    ]
    named = [f"{each['library']} {each['value']:,.0f} MB ({each['what']})" for each in peaks if each]
    if named:
        yield f"| memory, common workload | {'; '.join(named)} |"
    starts = [
        ("fastbt warm", "fastbt"),
        ("vectorbt warm", "vectorbt"),
        ("raptorbt warm", "raptorbt"),
        ("chidoribt warm", "chidoribt"),
    ]
    for suffix, words in (("warm", "compiled before"), ("cold", "nothing compiled before")):
        found = [(name, figures.figure("start", key.replace("warm", suffix))) for key, name in starts]
        named = [f"{name} {short(each['value'])} s" for name, each in found if each]
        if named:
            yield f"| start of a process to the answer of 100 sets, {words} | {', '.join(named)} |"
    one, jesse = figures.figure("start", "fastbt one"), figures.figure("start", "jesse one")
    if one and jesse:
        named = [f"fastbt {short(one['value'])} s", f"Jesse {short(jesse['value'])} s"]
        yield f"| start of a process to the answer of one set, a year of 1h | {', '.join(named)} |"


def table(document: Document) -> str:
    """Return the table, with the machine and the versions that it was measured with.

    Raises
    ------
    SystemExit
        If a check of the file failed: figures of different answers are not comparable.
    """
    failed = [check["text"] for each in document["sections"] for check in each["checks"] if not check["passed"]]
    if failed:
        raise SystemExit("these checks failed, so there is no table:\n" + "\n".join(failed))
    figures = Figures(document)
    about = document["machine"]
    lines = []
    speed = list(speed_lines(figures))
    if speed:
        lines += [
            "| what | fastbt, ns a bar and set | beside | ns | times | by processor time | the same as |",
            "|---|--:|---|--:|--:|--:|---|",
            *speed,
        ]
    others = list(other_lines(figures))
    if others:
        lines += ["", "| | |", "|---|---|", *others]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    loads = [each["load_before"] for each in document["sections"] if each["load_before"] is not None]
    load = f", load {min(loads):.1f} to {max(loads):.1f}" if loads else ""
    quick = " A tenth of the usual sizes (`--quick`)." if document["quick"] else ""
    measured = sorted({each["measured"][:10] for each in document["sections"]})
    lines += [
        "",
        f"`fastbt bench`, {' and '.join(measured)}, {about['cores']} cores of {about['cpu']}{load}; {versions}. "
        f"Medians of wall time, taken in turn; a bar is a decision bar, however many minutes it holds.{quick}",
    ]
    return "\n".join(lines) + "\n"


def put(text: str, made: str) -> str:
    r"""Return a text with the table between its marks.

    >>> put("a\n<!-- bench -->\nold\n<!-- end of bench -->\nb\n", "new\n")
    'a\n<!-- bench -->\nnew\n<!-- end of bench -->\nb\n'
    """
    if BEGIN not in text or END not in text:
        raise SystemExit(f"the file must hold the lines {BEGIN.strip()} and {END.strip()}")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + made + END + rest.partition(END)[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or put it into a file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("figures", type=Path)
    parser.add_argument("target", type=Path, nargs="?")
    options = parser.parse_args(arguments)
    made = table(json.loads(options.figures.read_text()))
    if options.target is None:
        sys.stdout.write(made)
    else:
        options.target.write_text(put(options.target.read_text(), made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
