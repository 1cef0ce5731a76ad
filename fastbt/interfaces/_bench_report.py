"""What `fastbt bench` has measured: kept in a file, and printed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from fastbt.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from fastbt.interfaces._bench_parts import Section
    from fastbt.types import JsonDict

#: What can be measured, in this order.
PARTS: Final = ("jesse", "common", "peers", "limit", "scaling", "memory", "start")


class Measures(Protocol):
    """What can measure a part."""

    threads: int

    def measure(self, part: str) -> list[Section]:
        """Measure one part."""
        ...


class Report:
    """The figures so far, in a file if there is one.

    Parameters
    ----------
    path : Path, optional
    quick : bool
        Of the sizes.
    threads : int
    again : bool
        Whether what the file has is measured again.
    say : callable
        Told what the file is not good for.
    """

    def __init__(
        self, path: Path | None, quick: bool, threads: int, *, again: bool, say: Callable[[str], None]
    ) -> None:
        from fastbt._cache import source_hash
        from fastbt.interfaces._bench_parts import machine

        if path is not None and not path.absolute().parent.is_dir():
            raise SettingsError(f"out: there is no folder {str(path.absolute().parent)!r}")
        self._path, self._again = path, again
        about = machine(threads)
        self.document: JsonDict = {"machine": about, "sources": source_hash(), "quick": quick, "sections": []}
        if path is None or not path.exists():
            return
        try:
            found = json.loads(path.read_text())
            same = all(found[key] == self.document[key] for key in ("sources", "quick"))
            same = same and all(found["machine"][key] == about[key] for key in ("cpu", "cores", "system"))
            kept = found["sections"] if same else []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"out: {str(path)!r} holds no figures of a bench: {error!r}") from None
        if not same:
            say(f"{path} is of another fastbt, machine or size: begun anew")
            return
        self.document = {**self.document, "machine": found["machine"], "sections": kept}

    def has(self, part: str) -> bool:
        """Tell whether the file has this part, and it was not asked for again."""
        return not self._again and any(each["part"] == part for each in self.document["sections"])

    def measure(self, part: str, bench: Measures) -> None:
        """Measure a part and keep its sections in place of those that were there."""
        from fastbt.interfaces._bench_parts import machine

        before, began = machine(bench.threads)["load_before"], time.perf_counter()
        sections = bench.measure(part)
        about = {
            "part": part,
            "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "load_before": before,
            "load_after": machine(bench.threads)["load_before"],
            "part_seconds": time.perf_counter() - began,
        }
        kept = [each for each in self.document["sections"] if each["part"] != part]
        kept += [{**about, **section.to_dict()} for section in sections]
        kept.sort(key=lambda each: PARTS.index(each["part"]))
        versions: dict[str, str] = {}
        for each in kept:
            versions |= each["versions"]
        self.document["sections"] = kept
        self.document["machine"]["versions"] |= versions
        self.document["machine"]["load_after"] = about["load_after"]
        if self._path is not None:
            partial = self._path.with_name(f"{self._path.name}.partial")
            partial.write_text(json.dumps(self.document, indent=1) + "\n")
            partial.replace(self._path)


def print_report(out: Console, report: JsonDict) -> None:
    """Print tables for a person."""
    about = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    out.print(f"{about['cpu']}, {about['cores']} cores used, {about['system']}", markup=False)
    out.print(versions, markup=False)
    if about.get("load_before") is not None:
        out.print(f"load {about['load_before']:.1f} before, {about['load_after']:.1f} after", markup=False)
    for section in report["sections"]:
        out.print()
        _print_section(out, section)


def _print_section(out: Console, section: JsonDict) -> None:
    from rich.table import Table
    from rich.text import Text

    title = Text(section["title"], style="bold")
    if section["rows"]:
        table = Table(title=title, title_justify="left")
        table.add_column("library")
        table.add_column("what")
        for name in ("seconds", "ns a bar and set", "times fastbt's", "by processor time"):
            table.add_column(name, justify="right")
        for row in section["rows"]:
            cpu = row["cpu_ratio"]
            table.add_row(
                Text(row["library"]),
                Text(row["what"]),
                f"{row['seconds']:.3f}",
                f"{row['ns_per_bar_and_set']:,.2f}",
                _ratio_text(row["ratio"]),
                "" if cpu is None else _ratio_text(cpu),
            )
        out.print(table)
        title = Text("")
    if section["figures"]:
        table = Table(title=title, title_justify="left", show_header=False)
        for name in ("library", "what", "value"):
            table.add_column(name, justify="right" if name == "value" else "left")
        for figure in section["figures"]:
            value = f"{figure_text(figure['value'])} {figure['unit']}"
            table.add_row(Text(figure["library"]), Text(figure["what"]), value)
        out.print(table)
    if section["skipped"]:
        out.print(title if title.plain else section["title"], section["skipped"], sep="\n", markup=False)
    for check in section["checks"]:
        mark = "[green]ok[/green]  " if check["passed"] else "[red]DIFFERENT[/red]  "
        out.print(mark, end="")
        out.print(check["text"], markup=False)
    for note in section["notes"]:
        out.print(f"- {note}", style="dim", markup=False)


def _ratio_text(ratio: float) -> str:
    return f"{ratio:,.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}"


def figure_text(value: float) -> str:
    """Return a figure with three digits or more.

    Examples
    --------
    >>> figure_text(0.01234), figure_text(3.14159), figure_text(12345.6)
    ('0.012', '3.14', '12,346')
    """
    size = abs(value)
    return f"{value:,.{3 if size < 0.1 else 2 if size < 10 else 1 if size < 100 else 0}f}"
