"""What Prometheus is told (https://prometheus.io/docs/instrumenting/exposition_formats/): counters beside the work, never in its way."""

from ossgate.metrics.counting import Metrics

__all__ = ["Metrics"]
