"""The only place that names Numba's options."""

from typing import Any, cast

from fastbt._cache import configure_numba

configure_numba()

from numba import config, njit  # noqa: E402  the cache folder must be set first

from fastbt import _parts  # noqa: E402

#: `fastmath` stays off: a reordered sum would end identity with Jesse.
#: A callee inherits what it does not set itself from whoever compiles it first, so everything is set.
_OPTIONS: Any = {
    "cache": True,
    "error_model": "numpy",
    "fastmath": False,
    "nogil": True,
    "no_cfunc_wrapper": False,
    "no_cpython_wrapper": False,
    "_nrt": True,
}
_LEAN: Any = _OPTIONS | {"_nrt": False, "no_cfunc_wrapper": True}


def kernel(function: Any) -> Any:
    """Compile a function on its first call, once for each combination of argument types."""
    return _parts.whole(function, _OPTIONS)


def lean(function: Any) -> Any:
    """Return `kernel` without reference counting: for kernels that are handed arrays but make none.

    Counting the references of array arguments, an atomic operation each, took half of the time of a bar.
    """
    return _parts.whole(function, _LEAN)


def inlined(function: Any) -> Any:
    """Return `lean` for what becomes a part of its callers wherever it is called."""
    return _parts.whole(function, _LEAN | {"forceinline": True})


def inner(function: Any) -> Any:
    """Return `lean` for functions of generated modules that only other kernels call: they are not cached."""
    return _parts.part(function, _LEAN, cached=False)


def inner_wide(function: Any) -> Any:
    """Return `inner` for a loop that LLVM can turn into vectors, the widest; it stays a function of its own."""
    return _parts.part(function, _LEAN, cached=False, wide=True)


def inner_inlined(function: Any) -> Any:
    """Return `inner` for what becomes a part of its callers wherever it is called."""
    return _parts.part(function, _LEAN | {"forceinline": True}, cached=False)


def inner_kernel(function: Any) -> Any:
    """Return `inner` for functions that make arrays."""
    return _parts.part(function, _OPTIONS, cached=False)


def apart(function: Any) -> Any:
    """Return `kernel` for what is large and seldom called: it is compiled once, not with every strategy.

    It never becomes a part of its callers; a call costs two nanoseconds.
    """
    return _parts.apart(function, _OPTIONS)


def kernel_of(*signatures: Any) -> Any:
    """Return `kernel` for exactly these signatures, compiled when the function is defined."""
    return njit(list(signatures), **_OPTIONS)


def jit_disabled() -> bool:
    """Return whether kernels run as plain Python (`NUMBA_DISABLE_JIT=1`)."""
    return bool(cast(Any, config).DISABLE_JIT)
