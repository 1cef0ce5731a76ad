"""fastbt.sweep."""
