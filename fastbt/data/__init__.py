"""fastbt.data."""
