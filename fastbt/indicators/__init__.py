"""fastbt.indicators."""
