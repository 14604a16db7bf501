"""The standard normal on plain floats: critical values and tail."""

from __future__ import annotations

from statistics import NormalDist

from scipy.special import ndtr

_STANDARD = NormalDist()


def two_sided_z(confidence: float) -> float:
    """Critical value z with ``P(|N| <= z) = confidence``, for 0 < confidence < 1."""
    return _STANDARD.inv_cdf((1 + confidence) / 2)


def upper_z(alpha: float) -> float:
    """Critical value z with ``P(N >= z) = alpha``, for 0 < alpha < 1."""
    return -_STANDARD.inv_cdf(alpha)


def upper_tail(z: float) -> float:
    """``P(N >= z)``, accurate far into the tail."""
    return float(ndtr(-z))
