"""The store of a search: a folder with a manifest and a log that is only ever added to.

::

    NAME/
      manifest.json   what is searched: request, strategy, candles, versions; never changed
      log.jsonl       one line for each batch, window or cell that is done, written through to the disk
      result.json     the result, once there is one
      lock            held by the process that writes

A line that a crash cut off is dropped when the search goes on. What is searched next follows from the manifest and the
lines before, so a search that was killed ends like one that was not.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from fastbt.errors import SettingsError
from fastbt.search.progress import Control
from fastbt.sweep.store import MANIFEST, differences, dump_json, free_folder, try_lock, write_atomically
from fastbt.types import JsonDict

FORMAT: Final = 1
LOG: Final = "log.jsonl"
RESULT: Final = "result.json"
#: Differences that are shown.
_SHOWN: Final = 8
#: Parts of a manifest that may differ: they do not change the result.
_FREE: Final = ("threads", "memory", "time_limit")


def pack(array: np.ndarray[Any, Any]) -> JsonDict:
    """Return an array of numbers as JSON, exact to the last bit.

    Examples
    --------
    >>> unpack(pack(np.array([[0.1, np.nan, np.inf]]))).tolist()
    [[0.1, nan, inf]]
    """
    data = zlib.compress(np.ascontiguousarray(array, dtype="<f8").tobytes(), 1)
    return {"shape": list(array.shape), "float64": base64.b64encode(data).decode()}


def unpack(packed: JsonDict) -> np.ndarray[Any, Any]:
    """Return the array of `pack`."""
    data = zlib.decompress(base64.b64decode(packed["float64"]))
    return np.frombuffer(data, dtype="<f8").reshape(packed["shape"]).astype(np.float64)


def check_run(run: str | Path | None, *, resume: bool, fork: bool) -> None:
    """Refuse to go on with a search, or to make one beside it, where no folder is named.

    Raises
    ------
    SettingsError
    """
    if run is None and (resume or fork):
        raise SettingsError(f"{'resume' if resume else 'fork'} wants a run: the name of its folder")


@contextmanager
def writing(journal: Journal | None, control: Control) -> Iterator[None]:
    """Let Ctrl-C and the time limit end a search inside, and keep other processes from its folder."""
    with nullcontext() if journal is None else journal.locked(), control.running():
        yield


class Journal:
    """A search in a folder.

    Attributes
    ----------
    folder : Path
    manifest : dict
    """

    def __init__(self, folder: Path, manifest: JsonDict) -> None:
        self.folder = folder
        self.manifest = manifest
        self._file: IO[bytes] | None = None

    @classmethod
    def open(cls, folder: str | Path, manifest: JsonDict, *, resume: bool = False, fork: bool = False) -> Journal:
        """Return the search of a folder: the one that is there, to be gone on with, or a new one.

        Parameters
        ----------
        folder : str or Path
        manifest : dict
            What is searched.
        resume : bool
            Go on with the search of this folder if there is one.
        fork : bool
            If there is one, make a new one beside it: NAME-2.

        Raises
        ------
        SettingsError
            If there is one and neither is wanted, or it is of something else.
        """
        folder = Path(folder)
        if resume and fork:
            raise SettingsError("give either resume or fork, not both")
        manifest = json.loads(dump_json({"format": FORMAT, **manifest}))
        if (folder / MANIFEST).exists() and fork:
            folder = free_folder(folder)
        if not (folder / MANIFEST).exists():
            if folder.exists() and any(folder.iterdir()):
                raise SettingsError(f"{str(folder)!r} is a folder of something else; wanted a new one for the search")
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / MANIFEST, dump_json(manifest))
            return cls(folder, manifest)
        found = cls(folder, cls.read_manifest(folder))
        if not resume:
            raise SettingsError(
                f"there is a search {folder.name!r} already; --resume goes on with it, --fork starts anew beside it"
            )
        found.check_same(manifest)
        return found

    @staticmethod
    def read_manifest(folder: Path) -> JsonDict:
        """Return the manifest of a folder.

        Raises
        ------
        SettingsError
            If it holds none, or one that this version of fastbt cannot read.
        """
        try:
            manifest: JsonDict = json.loads((folder / MANIFEST).read_bytes())
        except FileNotFoundError:
            raise SettingsError(f"there is no search at {str(folder)!r}") from None
        except (OSError, ValueError) as error:
            raise SettingsError(f"{str(folder / MANIFEST)!r} cannot be read: {error}") from None
        if manifest.get("format") != FORMAT or "request" not in manifest:
            raise SettingsError(f"the folder {str(folder)!r} holds no search that this fastbt can go on with")
        return manifest

    def check_same(self, wanted: JsonDict) -> None:
        """Refuse to go on with a search of something else.

        Raises
        ------
        SettingsError
            With what differs.
        """
        ours, theirs = ({**each, "request": _fixed(each["request"])} for each in (wanted, self.manifest))
        found = differences(theirs, ours)
        if found:
            more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            lines = "\n  ".join(found[:_SHOWN])
            raise SettingsError(
                f"the search {self.folder.name!r} is of something else than what is asked for now; go on with what it "
                f"was made of, or start anew beside it with --fork:\n  {lines}{more}"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing; the lock ends with the process, however that ends.

        Raises
        ------
        SettingsError
            If another process holds it.
        """
        with open(self.folder / "lock", "a+b") as lock:
            if not try_lock(lock, tries=6):
                raise SettingsError(f"another process is at the search {self.folder.name!r}; wait for it, or --fork")
            self._cut_torn_line()
            with open(self.folder / LOG, "ab") as file:
                self._file = file
                try:
                    yield
                finally:
                    self._file = None

    def _cut_torn_line(self) -> None:
        path = self.folder / LOG
        if not path.exists():
            return
        whole = sum(len(line) for line in _whole_lines(path.read_bytes()))
        if whole != path.stat().st_size:
            with open(path, "r+b") as file:
                file.truncate(whole)

    def records(self) -> list[JsonDict]:
        """Return what is done, in order."""
        path = self.folder / LOG
        return [json.loads(line) for line in _whole_lines(path.read_bytes())] if path.exists() else []

    def append(self, record: JsonDict) -> None:
        """Add a line; after a crash it is there as a whole, or not at all."""
        assert self._file is not None, "the journal is not locked"
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def finish(self, result: bytes) -> None:
        """Write the result."""
        write_atomically(self.folder / RESULT, result)


def _whole_lines(data: bytes) -> list[bytes]:
    """Return the lines up to the first that is cut off or broken."""
    found = []
    for line in data.splitlines(keepends=True):
        try:
            json.loads(line)
        except ValueError:
            break
        if not line.endswith(b"\n"):
            break
        found.append(line)
    return found


def _fixed(request: JsonDict) -> JsonDict:
    return {name: value for name, value in request.items() if name not in _FREE}
