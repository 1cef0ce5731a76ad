"""Jesse strategies, unchanged, compiled to machine code."""

__version__ = "0.1.0"
