"""fastbt.metrics."""
