"""Indicators of a project's own, as strategies import them: `import custom_indicators as cta`."""

from .averages import distance, hull, smoothed, weighted
from .channels import channel, edges
from .speed import slope, squeezed

__all__ = ["channel", "distance", "edges", "hull", "slope", "smoothed", "squeezed", "weighted"]
