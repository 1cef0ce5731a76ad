"""Settings shared by all tests."""

import os
import signal

from hypothesis import HealthCheck, settings

# First calls compile kernels, so no deadline; the same examples on every machine.
settings.register_profile(
    "fastbt", deadline=None, derandomize=True, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
# Kernels as plain Python are a thousand times slower; that run is for coverage and debuggers.
settings.register_profile("plain", settings.get_profile("fastbt"), max_examples=5)
settings.load_profile("plain" if os.environ.get("NUMBA_DISABLE_JIT") == "1" else "fastbt")

# pytest-xdist lets its workers ignore Ctrl-C, and what they start inherits that; here it is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Strategies, which import Jesse: data, not modules of ours.
collect_ignore_glob = ["corpus/*", "parity/strategies/*"]
