"""How much memory there is, and how much this process has."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from fastbt.errors import SettingsError

#: What is taken for free where the system does not tell.
_UNKNOWN = 4 * 2**30

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def free_memory() -> int:
    """Return the bytes that this process may still take: what the machine has free, or its container allows."""
    free = _machine_free()
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return max(free, 0)


def _machine_free() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN


def memory_budget(limit: int | None = None) -> int:
    """Return how many bytes a sweep may take: the limit, or half of what is free."""
    return limit if limit is not None else max(free_memory() // 2, 64 * 2**20)


def resident_memory() -> int:
    """Return the bytes of memory that this process holds now; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, AttributeError, ValueError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_memory(pid: int | None = None) -> int | None:
    """Return the most bytes of memory that a process has held so far; None where the system does not tell.

    Linux's own count. The usual `ru_maxrss` is no measure of a child process: it begins at what its parent held.

    Parameters
    ----------
    pid : int, optional
        This process if left out.

    Examples
    --------
    >>> most = peak_memory()
    >>> most is None or most > 10 * 2**20
    True
    """
    try:
        for line in Path(f"/proc/{pid or 'self'}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def parse_bytes(text: str, name: str = "--memory") -> int:
    """Return the number of bytes of a text such as `500M` or `1.5G`.

    Raises
    ------
    SettingsError
        If it is no such text.

    Examples
    --------
    >>> parse_bytes("2G"), parse_bytes("1.5 kb")
    (2147483648, 1536)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?\s*", text.upper())
    if found is None or not float(found[1]) > 0:
        raise SettingsError(f"{name}: wanted a size such as 500M or 2G; was {text!r}")
    return int(float(found[1]) * _UNITS[found[2]])


def bytes_text(n: float) -> str:
    """Return a number of bytes as a person reads it.

    Examples
    --------
    >>> bytes_text(512), bytes_text(1_600_000), bytes_text(3 * 2**30)
    ('512 B', '1.5 MB', '3.0 GB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n < 999.5:
            return f"{n:.0f} {unit}" if unit == "B" or n >= 99.5 else f"{n:.1f} {unit}"
        n /= 1024
    return f"{n:.1f} TB"
