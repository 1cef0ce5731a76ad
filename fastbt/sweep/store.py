"""A sweep on disk: a folder that is only ever added to, and that an interruption at any moment leaves usable.

::

    NAME/
      manifest.json         what is run: strategy, candles, settings, space, versions; never changed
      parts/000000.parquet  results of the first chunk of sets: written whole, under another name, then renamed
      daily/000000.parquet  their daily balances, if they were asked for
      summary.json          counts, when all parts are there
      journal.jsonl         who worked on it and when
      lock                  held by the process that writes

All but journal and lock is the same, byte for byte, whether a sweep was interrupted or not, and with any number of
threads.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from fastbt.errors import SettingsError
from fastbt.types import JsonDict

if TYPE_CHECKING:
    import polars as pl

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_SUMMARY: Final = "summary.json"
_JOURNAL: Final = "journal.jsonl"
_LOCK: Final = "lock"
_TEMPORARY: Final = ".tmp-"


@dataclass(frozen=True)
class Chunk:
    """Sets [first, last) of one market: what one part holds.

    Attributes
    ----------
    number : int
        Of the part.
    market, first, last : int
    """

    number: int
    market: int
    first: int
    last: int


def chunks_of(n_sets: int, rows: Sequence[int]) -> list[Chunk]:
    """Return the chunks of a sweep: all of the first market, then all of the next.

    Parameters
    ----------
    n_sets : int
        In each market.
    rows : sequence of int
        Sets of one chunk, for each market.

    Examples
    --------
    >>> [(chunk.market, chunk.first, chunk.last) for chunk in chunks_of(5, [3, 4])]
    [(0, 0, 3), (0, 3, 5), (1, 0, 4), (1, 4, 5)]
    """
    found: list[Chunk] = []
    for market, size in enumerate(rows):
        for first in range(0, n_sets, size):
            found.append(Chunk(len(found), market, first, min(first + size, n_sets)))
    return found


def free_folder(folder: Path) -> Path:
    """Return a folder that is not there: this one, or NAME-2, NAME-3, ..."""
    names = (folder.name, *(f"{folder.name}-{i}" for i in range(2, 10_000)))
    return next(each for each in map(folder.with_name, names) if not each.exists())


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file in one step that survives a crash of the machine."""
    partial = path.with_name(f"{_TEMPORARY}{os.getpid()}-{path.name}")
    with open(partial, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows has no such thing
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def dump_json(document: Any) -> bytes:
    """Return a document as JSON, the same bytes for the same content."""
    return (json.dumps(document, indent=1, default=str, ensure_ascii=False) + "\n").encode()


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Return where two documents differ, one line each.

    Examples
    --------
    >>> differences({"a": 1, "b": {"c": [1, 2]}}, {"a": 1, "b": {"c": [1, 3]}, "d": 0})
    ['b.c[1]: was 2, is 3', 'd: was absent, is 0']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found = []
        for key in dict.fromkeys([*old, *new]):
            here = f"{path}.{key}" if path else str(key)
            if key not in old:
                found.append(f"{here}: was absent, is {_short(new[key])}")
            elif key not in new:
                found.append(f"{here}: was {_short(old[key])}, is absent")
            else:
                found += differences(old[key], new[key], here)
        return found
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            line
            for i, (one, two) in enumerate(zip(old, new, strict=True))
            for line in differences(one, two, f"{path}[{i}]")
        ]
    return [] if old == new else [f"{path}: was {_short(old)}, is {_short(new)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


class Run:
    """A sweep in a folder.

    Attributes
    ----------
    folder : Path
    manifest : dict
    chunks : list of Chunk
    """

    def __init__(self, folder: Path, manifest: JsonDict) -> None:
        self.folder = folder
        self.manifest = manifest
        self.chunks = chunks_of(manifest["sets"], manifest["chunk_rows"])

    @classmethod
    def create(cls, folder: Path, manifest: JsonDict) -> Run:
        """Make the folder of a new run.

        Raises
        ------
        SettingsError
            If there is one already, or something else of this name.
        """
        if (folder / MANIFEST).exists():
            raise SettingsError(f"there is a run at {str(folder)!r} already")
        if folder.exists() and any(folder.iterdir()):
            raise SettingsError(f"{str(folder)!r} is a folder of something else; wanted a new one for the run")
        (folder / "parts").mkdir(parents=True, exist_ok=True)
        if manifest["daily"]:
            (folder / "daily").mkdir(exist_ok=True)
        write_atomically(folder / MANIFEST, dump_json(manifest))
        return cls(folder, json.loads(dump_json(manifest)))

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Return the run of a folder.

        Raises
        ------
        SettingsError
            If it holds none, or one that this version of fastbt cannot read.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
        except FileNotFoundError:
            raise SettingsError(f"there is no run at {str(folder)!r}") from None
        except (OSError, ValueError) as error:
            raise SettingsError(f"{str(folder / MANIFEST)!r} cannot be read: {error}") from None
        if manifest.get("format") != FORMAT:
            raise SettingsError(
                f"the run at {str(folder)!r} is of format {manifest.get('format')!r}; this fastbt reads {FORMAT}"
            )
        return cls(folder, manifest)

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.folder.name

    def part(self, number: int) -> Path:
        """Return the file of a chunk's results."""
        return self.folder / "parts" / f"{number:06}.parquet"

    def daily_part(self, number: int) -> Path:
        """Return the file of a chunk's daily balances."""
        return self.folder / "daily" / f"{number:06}.parquet"

    def done(self) -> set[int]:
        """Return the numbers of the chunks whose results are there."""
        folder = self.folder / "parts"
        return {int(each.stem) for each in folder.iterdir() if each.suffix == ".parquet" and each.stem.isdigit()}

    @property
    def is_complete(self) -> bool:
        """Whether all chunks were run."""
        return (self.folder / _SUMMARY).exists()

    @property
    def n_done(self) -> int:
        """Sets whose results are there, over all markets."""
        done = self.done()
        return sum(chunk.last - chunk.first for chunk in self.chunks if chunk.number in done)

    @property
    def n_rows(self) -> int:
        """Rows of the finished run: sets times markets."""
        return int(self.manifest["sets"]) * len(self.manifest["chunk_rows"])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing; the lock ends with the process, however that ends.

        Raises
        ------
        SettingsError
            If another process holds it.
        """
        with open(self.folder / _LOCK, "a+b") as file:
            # Somebody who only looks whether it is locked holds it for an instant.
            if not try_lock(file, tries=6):
                file.seek(0)
                about = file.read().decode(errors="replace").strip()
                who = f" by process {about}" if about else ""
                raise SettingsError(
                    f"the run {self.name!r} is being written{who}; wait for it, or use another name or --fork"
                )
            file.seek(0)
            file.truncate()
            file.write(f"{os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC".encode())
            file.flush()
            try:
                self._clean()
                yield
            finally:
                file.seek(0)
                file.truncate()
                file.flush()

    @property
    def is_locked(self) -> bool:
        """Whether a process is writing."""
        path = self.folder / _LOCK
        if not path.exists():
            return False
        with open(path, "a+b") as file:
            return not try_lock(file)

    def _clean(self) -> None:
        """Remove what an interruption left half-written, and parts that a full disk or the like has cut off."""
        for name in ("parts", "daily"):
            folder = self.folder / name
            for left in folder.glob(f"{_TEMPORARY}*") if folder.is_dir() else ():
                left.unlink()
        for left in self.folder.glob(f"{_TEMPORARY}*"):
            left.unlink()
        for chunk in self.chunks:
            paths = [self.part(chunk.number)] + ([self.daily_part(chunk.number)] if self.manifest["daily"] else [])
            if not all(_n_rows(path) == chunk.last - chunk.first for path in paths):
                for path in (self.part(chunk.number), self.folder / _SUMMARY):
                    path.unlink(missing_ok=True)

    def write(self, number: int, frame: pl.DataFrame, daily: pl.DataFrame | None = None) -> None:
        """Add the results of a chunk: all of them, or after a crash nothing."""
        if daily is not None:
            write_atomically(self.daily_part(number), parquet_bytes(daily))
        write_atomically(self.part(number), parquet_bytes(frame))

    def finish(self) -> JsonDict:
        """Write the summary of a run whose parts are all there, and return it."""
        summary = self.count()
        if not self.is_complete:
            write_atomically(self.folder / _SUMMARY, dump_json(summary))
        return summary

    def count(self) -> JsonDict:
        """Return how many sets ended how."""
        import polars as pl

        counts = {"ok": 0, "infeasible": 0, "failed": 0, "unsupported": 0}
        if self.done():
            kind = pl.col("status").str.extract(r"^([a-z]+)").alias("kind")
            found = self.scan().select(kind).group_by("kind").len().collect()
            counts |= dict(found.rows())
        return {"rows": self.n_rows, "done": sum(counts.values()), **counts}

    @property
    def summary(self) -> JsonDict | None:
        """The summary, if all parts are there."""
        try:
            document: JsonDict = json.loads((self.folder / _SUMMARY).read_bytes())
        except FileNotFoundError:
            return None
        return document

    def scan(self) -> pl.LazyFrame:
        """Return the results so far, read as they are needed: as `SweepResult.frame`, in the order of the chunks."""
        import polars as pl

        files = [self.part(number) for number in sorted(self.done())]
        if not files:
            raise SettingsError(f"the run {self.name!r} has no results yet")
        return pl.scan_parquet(files)

    def frame(self) -> pl.DataFrame:
        """Return the results so far."""
        return self.scan().collect()

    def daily(self, market: int = 0) -> pl.DataFrame:
        """Return the daily balances of one market, one row a set.

        Raises
        ------
        SettingsError
            If they were not kept.
        """
        import polars as pl

        if not self.manifest["daily"]:
            raise SettingsError(f"the run {self.name!r} holds no daily balances; ask for them when it is made: --daily")
        done = self.done()
        files = [self.daily_part(c.number) for c in self.chunks if c.market == market and c.number in done]
        return pl.read_parquet(files) if files else pl.DataFrame()

    def note(self, event: str, **about: Any) -> None:
        """Append a line to the journal."""
        # To the microsecond: runs are listed by it.
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        line = {"time": f"{now}Z", "event": event, "pid": os.getpid(), **about}
        with open(self.folder / _JOURNAL, "a") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def journal(self) -> list[JsonDict]:
        """Return the lines of the journal; one that a crash cut off is left out."""
        try:
            lines = (self.folder / _JOURNAL).read_text().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            with suppress(ValueError):
                found.append(json.loads(line))
        return found


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Return a table as a Parquet file, the same bytes for the same content."""
    import io

    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=False)
    return buffer.getvalue()


def _n_rows(path: Path) -> int:
    """Return how many rows a part has; -1 if it is absent or cannot be read."""
    import polars as pl

    if not path.exists():
        return -1
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.PolarsError):
        return -1


def try_lock(file: IO[bytes], tries: int = 1) -> bool:
    """Lock a file for this process alone; return whether that was possible."""
    for left in reversed(range(tries)):
        if _lock(file):
            return True
        if left:
            time.sleep(0.05)
    return False


def _lock(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            file.seek(2**30)  # beyond the text, which others may read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
