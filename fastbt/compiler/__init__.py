"""fastbt.compiler."""
