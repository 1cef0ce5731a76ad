"""The only place that names Numba's options."""

from numba import njit

#: Compile a kernel. `fastmath` stays off: a reordered sum would end identity with Jesse.
kernel = njit(cache=True, error_model="numpy", fastmath=False, nogil=True)
