"""Rounds: every case gets its turn in each, so that a slow moment of the machine hits all alike; ratios are taken within a round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from bench.aims import Row
from bench.cases import BARE, Case
from bench.load import Sample

Samples = Mapping[str, list[Sample]]
Tell = Callable[[str], None]
WARM_UP = 300


def measure_capacity(
    cases: Sequence[Case], counts: Mapping[str, int], *, rounds: int, tell: Tell
) -> dict[str, list[Sample]]:
    """Return each case's samples, one a round."""
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    for number in range(rounds):
        # Turned by one each round: nobody is always first.
        for case in [*cases[number % len(cases) :], *cases[: number % len(cases)]]:
            tell(f"round {number + 1} of {rounds}: {case.label}")
            samples[case.name].append(case.run_closed(counts[case.name]))
    return samples


def measure_half_load(
    cases: Sequence[Case], capacity: Samples, *, rounds: int, seconds: float, tell: Tell
) -> dict[str, list[Sample]]:
    """Return each case's samples at half of what it was found able to do."""
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    for number in range(rounds):
        for case in cases:
            tell(f"half load, round {number + 1} of {rounds}: {case.label}")
            rate = statistics.median(sample.rate for sample in capacity[case.name]) / 2
            samples[case.name].append(case.run_open(count_open(rate, seconds), rate))
    return samples


def count_open(rate: float, seconds: float) -> int:
    """Return how many requests an open run sends."""
    return max(100, int(rate * seconds))


def summarize_capacity(cases: Sequence[Case], samples: Samples) -> list[Row]:
    """Return a line for each case: its rate over the bare view's, round by round, the median of all rounds."""
    return [
        Row(
            name=case.name,
            label=case.label,
            ratio=_median_ratio(samples, case.name, lambda sample: sample.rate),
            cpu_ratio=_median_ratio(samples, case.name, _inverse_cpu),
            detail=_describe(samples[case.name]),
        )
        for case in cases
    ]


def summarize_half_load(cases: Sequence[Case], samples: Samples) -> list[Row]:
    """Return a line for each case but the bare view: its p99 over the bare view's."""
    rows = []
    for case in cases:
        if case.name == BARE:
            continue
        ratio = _median_ratio(samples, case.name, lambda sample: sample.percentile(0.99))
        bare, own = (
            1000 * statistics.median(sample.percentile(0.99) for sample in samples[name])
            for name in (BARE, case.name)
        )
        detail = f"p99 {own:.1f} ms, bare {bare:.1f} ms; {_describe(samples[case.name])}"
        rows.append(Row(f"half_load_{case.name}", f"p99 at half load: {case.label}", ratio, None, detail))
    return rows


def _median_ratio(samples: Samples, name: str, read: Callable[[Sample], float | None]) -> float | None:
    ratios = []
    for own, bare in zip(samples[name], samples[BARE], strict=True):
        above, below = read(own), read(bare)
        if above is not None and below:
            ratios.append(above / below)
    return statistics.median(ratios) if ratios else None


def _inverse_cpu(sample: Sample) -> float | None:
    return 1 / sample.cpu_each if sample.cpu_each else None


def _describe(samples: list[Sample]) -> str:
    parts = [
        f"{statistics.median(sample.rate for sample in samples):,.0f}/s",
        f"p50 {1000 * statistics.median(sample.percentile(0.5) for sample in samples):.1f} ms",
        f"p99 {1000 * statistics.median(sample.percentile(0.99) for sample in samples):.1f} ms",
    ]
    spent = [sample.cpu_each for sample in samples if sample.cpu_each is not None]
    if spent:
        parts.append(f"{1e6 * statistics.median(spent):.0f} µs CPU")
    return ", ".join(parts)
