"""The only place that names Numba's options."""

from typing import Any, cast

from fastbt._cache import configure_numba

configure_numba()

from numba import config, njit  # noqa: E402  the cache folder must be set first
from numba.core.types import unliteral  # noqa: E402

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


def kernel(function: Any) -> Any:
    """Compile a function on its first call, once for each combination of argument types."""
    return _without_literals(njit(**_OPTIONS)(function))


def lean(function: Any) -> Any:
    """Return `kernel` without reference counting: for kernels that are handed arrays but make none.

    Counting the references of array arguments, an atomic operation each, took half of the time of a bar.
    """
    return _without_literals(njit(**_OPTIONS | {"_nrt": False})(function))


def inner(function: Any) -> Any:
    """Return `lean` for functions that only other kernels call: without the wrapper for Python, they compile faster."""
    options = _OPTIONS | {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _without_literals(njit(**options)(function))


def merged(function: Any) -> Any:
    """Return `inner` for functions with one caller, of which they become a part before anything is compiled.

    LLVM optimises a function together with all that it calls, again for every caller up the chain: a long chain of
    small functions takes several times as long to compile as one long function.
    """
    return njit(inline="always", **_OPTIONS | {"_nrt": False})(function)


def kernel_of(*signatures: Any) -> Any:
    """Return `kernel` for exactly these signatures, compiled when the function is defined."""
    return njit(list(signatures), **_OPTIONS)


def _without_literals(dispatcher: Any) -> Any:
    """Let constant arguments count as their type.

    Numba compiles a callee anew for every constant that a caller passes, which made 12 versions of one kernel and took
    most of the compile time; after inlining, LLVM folds the constants all the same.
    """
    if not hasattr(dispatcher, "get_call_template"):  # NUMBA_DISABLE_JIT
        return dispatcher
    template, plain = dispatcher.get_call_template, cast(Any, unliteral)

    def get_call_template(args: Any, kws: Any) -> Any:
        return template(tuple(map(plain, args)), {key: plain(value) for key, value in kws.items()})

    dispatcher.get_call_template = get_call_template
    return dispatcher


def jit_disabled() -> bool:
    """Return whether kernels run as plain Python (`NUMBA_DISABLE_JIT=1`)."""
    return bool(cast(Any, config).DISABLE_JIT)
