"""Names of metrics, and which way they are better."""

from __future__ import annotations

from typing import Final

from fastbt.errors import SettingsError, did_you_mean
from fastbt.metrics.names import METRICS

#: Metrics for which less is better.
LOWER_IS_BETTER: Final = frozenset(
    {"total_losing_trades", "losing_streak", "fee", "average_loss", "max_underwater_period", "total_open_trades"}
)


def check_metric(metric: str) -> None:
    """Raise SettingsError unless it is one of Jesse's metrics."""
    if metric not in METRICS:
        # "sharpe" is too short to be near "sharpe_ratio".
        within = [known for known in METRICS if metric and metric in known]
        hint = f" Did you mean {within[0]!r}?" if within else did_you_mean(metric, METRICS)
        raise SettingsError(f"there is no metric {metric!r}.{hint or ' There are ' + ', '.join(METRICS) + '.'}")
