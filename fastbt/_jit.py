"""The only place that names Numba's options."""

from fastbt._cache import configure_numba

configure_numba()

from numba import njit  # noqa: E402  the cache folder must be set first

#: Compile a kernel. `fastmath` stays off: a reordered sum would end identity with Jesse.
kernel = njit(cache=True, error_model="numpy", fastmath=False, nogil=True)
