"""fastbt.engine."""
