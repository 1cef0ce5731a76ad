"""The only place that names Numba's options."""

from typing import Any

from fastbt._cache import configure_numba

configure_numba()

from numba import njit  # noqa: E402  the cache folder must be set first

#: `fastmath` stays off: a reordered sum would end identity with Jesse.
_OPTIONS: Any = {"cache": True, "error_model": "numpy", "fastmath": False, "nogil": True}

kernel = njit(**_OPTIONS)


def kernel_of(*signatures: Any) -> Any:
    """Return `kernel` for exactly these signatures, compiled when the function is defined."""
    return njit(list(signatures), **_OPTIONS)
