"""fastbt.interfaces."""
