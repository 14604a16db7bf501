"""Quantities of a verdict: every metric with the limits that its findings hold it to.

Whoever writes a value of a record writes it through here, so that its spelling is the same
everywhere (``text/quantities.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from prunegate.metrics.catalogue import metric_named
from prunegate.metrics.checks import change_check, is_level
from prunegate.text.quantities import Quantity
from prunegate.verdict.finding import Finding


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """Writes values of any metric."""

    currency: str = ""
    """ISO code that money is in; empty where there is no cost section."""
    levels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Limits on values, by metric."""
    margins: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Limits on changes, by metric."""
    _known: dict[str, Quantity] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was asked for already: a sentence asks for the same metric ten times."""

    @classmethod
    def of(cls, findings: Iterable[Finding], currency: str = "") -> Quantities:
        """The quantities of all findings of a verdict."""
        levels: dict[str, dict[float, None]] = {}
        margins: dict[str, dict[float, None]] = {}
        for found in findings:
            if is_level(found.check):
                levels.setdefault(found.metric, {})[found.limit] = None
            elif change_check(found.check) and found.limit_kind == "absolute":
                margins.setdefault(found.metric, {})[found.limit] = None
        return cls(
            currency=currency,
            levels={metric: tuple(limits) for metric, limits in levels.items()},
            margins={metric: tuple(limits) for metric, limits in margins.items()},
        )

    def __getitem__(self, metric: str) -> Quantity:
        if metric not in self._known:
            self._known[metric] = self._quantity(metric)
        return self._known[metric]

    def _quantity(self, metric: str) -> Quantity:
        known = metric_named(metric)
        bare = known.quantity(self.currency) if known else Quantity(kind="unknown")
        return replace(
            bare, levels=self.levels.get(metric, ()), margins=self.margins.get(metric, ())
        )
