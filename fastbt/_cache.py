"""Where compiled code is kept, and under which key.

Numba looks only at the file of the function it compiles: an edit in a *called* module leaves the old machine code in
place. So the folder itself is keyed by everything that machine code depends on, and old folders are removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from functools import cache
from importlib import metadata
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
#: The folders of fastbt that kernels are made from, beside its own files.
_KERNELS = ("data", "engine", "indicators", "metrics")
_KEPT = 3
#: A folder touched this recently may belong to a running process, and is left alone.
_IN_USE_S = 3600.0
#: Tells the children of this process that NUMBA_CACHE_DIR is our choice, not the user's.
_MARK = "FASTBT_NUMBA_CACHE_DIR"


@cache
def cache_root() -> Path:
    """Return the writable folder that holds everything fastbt may delete without harm.

    `FASTBT_CACHE_DIR` if it is set, else the user's cache folder, else (if that cannot be written) a private folder for
    temporary files.
    """
    chosen = os.environ.get("FASTBT_CACHE_DIR")
    try:
        folder = Path(chosen).expanduser().resolve() if chosen else _user_cache()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        pass
    return _private_temp()


def _user_cache() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "fastbt"


def _private_temp() -> Path:
    # The cache holds pickles, so a folder that somebody else could have filled is never used.
    user = getattr(os, "getuid", lambda: 0)()
    folder = Path(tempfile.gettempdir()) / f"fastbt-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        private = sys.platform == "win32" or (found.st_uid == user and not found.st_mode & 0o022)
        if stat.S_ISDIR(found.st_mode) and private and os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="fastbt-"))


@cache
def source_hash() -> str:
    """Return the key of compiled code: fastbt's sources, numba, numpy, Python and the bounds check.

    The sources are read again only when the size or time of a file changed, so a later start costs a few `stat` calls.
    """
    bounds_check = os.environ.get("NUMBA_BOUNDSCHECK", "")
    versions = [f"{name} {metadata.version(name)}" for name in ("numba", "numpy")]
    parts = [_sources_digest(cache_root() / "sources.json"), *versions, sys.version, f"boundscheck {bounds_check}"]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


@cache
def kernels_hash() -> str:
    """Return the key of the kernels' sources, if machine code is kept in a folder that the user has set.

    Ours is keyed by everything. In another one numba would find the code of a kernel again after an edit of those that
    it calls.
    """
    if os.environ.get("NUMBA_CACHE_DIR", "") == os.environ.get(_MARK):
        return ""
    digest = hashlib.sha256()
    for name, _, _ in _sources():
        folder = name.partition(os.sep)[0]
        if folder.endswith(".py") or folder in _KERNELS:
            digest.update(f"{name}\n".encode() + (_PACKAGE / name).read_bytes())
    return digest.hexdigest()[:20]


def _sources() -> list[tuple[str, int, int]]:
    """Return name, size and time of each of fastbt's source files."""
    found = []
    for folder, folders, files in os.walk(_PACKAGE):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                status = os.stat(path)
                found.append((os.path.relpath(path, _PACKAGE), status.st_size, status.st_mtime_ns))
    return sorted(found)


def _sources_digest(memo: Path) -> str:
    listed = _sources()
    fingerprint = hashlib.sha256(f"{_PACKAGE}{listed}".encode()).hexdigest()
    try:
        known = json.loads(memo.read_text())
        if known["fingerprint"] == fingerprint:
            return str(known["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    digest = hashlib.sha256()
    for name, _, _ in listed:
        digest.update(f"{name}\n".encode() + (_PACKAGE / name).read_bytes())
    _write(memo, json.dumps({"fingerprint": fingerprint, "digest": digest.hexdigest()}))
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    """Replace a file in one step; a cache that cannot be written is no error."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        partial.write_text(text)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)


@cache
def code_cache() -> Path:
    """Return the folder for compiled code and generated modules of exactly these sources, and drop old ones."""
    folders = cache_root() / "code"
    folder = folders / source_hash()
    new = not folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    if new:
        _prune(folders)
    return folder


def _prune(folders: Path) -> None:
    """Keep the newest folders, and those that a running process may still write to."""
    dated = []
    for folder in folders.iterdir():
        try:
            dated.append((folder.stat().st_mtime, folder))
        except FileNotFoundError:  # another process prunes too
            continue
    oldest_in_use = time.time() - _IN_USE_S
    for modified, folder in sorted(dated, reverse=True)[_KEPT:]:
        if modified < oldest_in_use:
            shutil.rmtree(folder, ignore_errors=True)


def configure_numba() -> None:
    """Point numba at `code_cache()`, unless the user has set `NUMBA_CACHE_DIR`; call before the first kernel."""
    current = os.environ.get("NUMBA_CACHE_DIR")
    if current and current != os.environ.get(_MARK):
        return
    folder = str(code_cache() / "numba")
    # Both: numba reads the variable again whenever one of its variables changes.
    os.environ["NUMBA_CACHE_DIR"] = os.environ[_MARK] = folder
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = folder
