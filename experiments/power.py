"""How many people an experiment needs, and which difference it can see: planning, before anything is measured.

Two shares are compared by a two-sided test with a false alarm rate `alpha`, which finds a true difference with the
probability `power`. The approximation is the normal one: where fewer than five are expected to convert in an arm, take
the answer as a size and not as a number. The test is one at the end; an always-valid interval, which may be looked at
every day, needs more people.
"""

from __future__ import annotations

from math import ceil, inf, sqrt
from statistics import NormalDist

ALPHA = 0.05
POWER = 0.8


def people_needed(
    baseline: float, difference: float, *, ratio: float = 1.0, alpha: float = ALPHA, power: float = POWER
) -> int:
    """People in the first arm, so that a difference between shares is seen; the second has `ratio` times as many.

    `baseline` is the share (0 … 1) that converts in the first arm, `baseline + difference` in the second. The formula
    is that of Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd edition 2003, chapter 4, for
    equal and for unequal arms, without the correction for continuity, as in R's `power.prop.test`. Raises ValueError
    for shares outside 0 … 1, a difference of 0, or a ratio that is not above 0.
    """
    other = baseline + difference
    if not (0 <= baseline <= 1 and 0 <= other <= 1 and difference and ratio > 0):
        raise ValueError(f"no such shares: {baseline} and {other}, arms 1 to {ratio}")
    return ceil(_people(baseline, difference, ratio, alpha, power) - 1e-9)


def smallest_difference(
    baseline: float, first: float, second: float, *, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """The smallest increase over `baseline` (a share, 0 … 1) that arms of `first` and `second` people could detect.

    The inverse of `people_needed`, found by halving. None: not even an increase to 100 % would be seen, or an arm has
    nobody.
    """
    if first < 1 or second < 1 or not 0 <= baseline < 1:
        return None
    ratio = second / first
    low, high = 0.0, 1.0 - baseline
    if _people(baseline, high, ratio, alpha, power) > first:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        if middle > 0 and _people(baseline, middle, ratio, alpha, power) <= first:
            high = middle
        else:
            low = middle
    return high


def detects(baseline: float, people: list[float], *, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The smallest increase that the comparison of the first arm with each other one could detect, the weakest pair
    deciding. `people` are the arms' in the order of the experiment; None as for `smallest_difference`, and with fewer
    than two arms."""
    found = [smallest_difference(baseline, people[0], other, alpha=alpha, power=power) for other in people[1:]]
    seen = [each for each in found if each is not None]
    return max(seen) if seen and len(seen) == len(found) else None


def too_small(baseline: float, difference: float | None) -> bool:
    """Whether an experiment that sees `difference` or more is too small to be worth its time: it would miss even an arm
    that doubles the baseline. Without a baseline, whether it sees nothing at all."""
    return difference is None or (baseline > 0 and difference > baseline)


def _people(baseline: float, difference: float, ratio: float, alpha: float, power: float) -> float:
    other = baseline + difference
    mean = (baseline + ratio * other) / (1 + ratio)
    normal = NormalDist()
    apart = normal.inv_cdf(1 - alpha / 2) * sqrt((1 + ratio) * mean * (1 - mean))
    apart += normal.inv_cdf(power) * sqrt(ratio * baseline * (1 - baseline) + other * (1 - other))
    return apart**2 / (ratio * difference**2) if difference else inf
