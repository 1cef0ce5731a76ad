"""fastbt.oracle."""
