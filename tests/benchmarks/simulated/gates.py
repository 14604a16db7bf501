"""The gate on K slices that are drawn from pools of judged ones; the decision is the verdict's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prunegate.evidence.rates import Evidence
from prunegate.metrics.hypothesis import Hypothesis
from prunegate.verdict.decide import settle
from prunegate.verdict.drafts import Draft
from prunegate.verdict.finding import Finding
from prunegate.verdict.outcome import outcome

ALPHA = 0.05
CHECKED = 20
Shares = NDArray[np.float64]
Outcome = tuple[float, float, bool]
"""p-value, p-value of harm, and whether the gate takes them for evidence."""


def judged(found: Evidence, hypothesis: Hypothesis) -> Outcome:
    """What the gate makes of one slice."""
    if found.baseline is None or found.candidate is None or found.too_few:
        return 1.0, 1.0, False
    result = found.test(hypothesis)
    return result.p_value, result.p_harm, True


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What was concluded about slices drawn in one state of nature."""

    p: Shares
    harm: Shares
    usable: NDArray[np.bool_]

    def take(self, rng: np.random.Generator, shape: tuple[int, int]) -> Pool:
        """So many gates (rows) of so many slices (columns), at random from this pool."""
        at = rng.integers(len(self.p), size=shape)
        return Pool(p=self.p[at], harm=self.harm[at], usable=self.usable[at])

    def beside(self, other: Pool) -> Pool:
        """The slices of both, gate by gate."""
        pairs = [(getattr(self, f), getattr(other, f)) for f in ("p", "harm", "usable")]
        p, harm, usable = (np.concatenate(pair, axis=1) for pair in pairs)
        return Pool(p=p, harm=harm, usable=usable)

    def approved(self) -> NDArray[np.bool_]:
        """Per gate: every slice is shown to hold."""
        return np.asarray(np.all((self.p <= ALPHA) & self.usable, axis=1))

    def rejected(self) -> NDArray[np.bool_]:
        """Per gate: some slice is shown to be broken, after Holm."""
        order = np.argsort(self.harm, axis=1)
        harm = np.take_along_axis(self.harm, order, axis=1)
        count = harm.shape[1]
        adjusted = np.maximum.accumulate(harm * (count - np.arange(count)), axis=1)
        usable = np.take_along_axis(self.usable, order, axis=1)
        return np.asarray(np.any((adjusted <= ALPHA) & usable, axis=1))

    def require_verdict(self) -> Pool:
        """These gates, after the verdict's own code has decided some of them the same way.

        Raises:
            RuntimeError: it decides otherwise.
        """
        few = Pool(p=self.p[:CHECKED], harm=self.harm[:CHECKED], usable=self.usable[:CHECKED])
        words = np.where(few.approved(), "approve", "inconclusive")
        for gate, ours in enumerate(np.where(few.rejected(), "reject", words)):
            found = outcome(settle(list(few._drafts(gate)), ALPHA))
            if found != ours:
                raise RuntimeError(f"the verdict says {found}, this script {ours}")
        return self

    def _drafts(self, gate: int) -> Iterator[Draft]:
        for p, harm, usable in zip(
            self.p[gate], self.harm[gate], self.usable[gate].tolist(), strict=True
        ):
            finding = Finding(
                rule=0,
                metric="recall",
                slice="drawn",
                check="max_drop",
                status="pass" if usable and p <= ALPHA else "inconclusive",
                severity="block",
                evidence="proven",
                baseline=None,
                candidate=None,
                difference=None,
                ci_low=None,
                ci_high=None,
                limit=0.0,
                p_value=float(p),
                p_harm=float(harm),
                n=0,
                method="",
            )
            yield Draft(finding=finding, contestable=usable)


def pool_of(outcomes: list[Outcome], place: NDArray[np.intp]) -> Pool:
    """The pool in which each draw has the outcome at its place."""
    p, harm, usable = np.array(outcomes)[place.ravel()].T
    return Pool(p=p, harm=harm, usable=usable.astype(bool))
