"""Settings shared by all tests."""

from hypothesis import HealthCheck, settings

# First calls compile kernels, so no deadline; the same examples on every machine.
settings.register_profile(
    "fastbt", deadline=None, derandomize=True, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fastbt")
