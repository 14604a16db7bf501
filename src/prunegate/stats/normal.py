"""The standard normal on plain floats: critical values and tail (or Student's)."""

from __future__ import annotations

from statistics import NormalDist

from scipy.special import ndtr, stdtr

_STANDARD = NormalDist()


def two_sided_z(confidence: float) -> float:
    """Critical value z with ``P(|N| <= z) = confidence``, for 0 < confidence < 1."""
    return _STANDARD.inv_cdf((1 + confidence) / 2)


def upper_z(alpha: float) -> float:
    """Critical value z with ``P(N >= z) = alpha``, for 0 < alpha < 1."""
    return -_STANDARD.inv_cdf(alpha)


def upper_tail(z: float, df: int | None = None) -> float:
    """``P(N >= z)``, accurate far into the tail; Student's tail with ``df`` degrees of freedom."""
    return float(ndtr(-z)) if df is None else float(stdtr(df, -z))
