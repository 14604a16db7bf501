"""Label parts: every limit that labels are planned for, and what is known of its rows beforehand.

Before anybody labelled, the decisions of every row are known, and nothing else. A limit on one of
several classes sees them as those of a yes/no task: given the class, or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from prunegate.counting.labelling import AgreedFrame, SliceFrame
from prunegate.counting.partial_counts import AGREED, PartialCounts
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import Cells, JointCounts
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import Form, Overlapping, SharedRows
from prunegate.metrics.hypothesis import Level
from prunegate.metrics.labels_needed import LabelsNeeded, labels_needed
from prunegate.planning.label_power import power_of
from prunegate.planning.label_random import random_power, random_rows
from prunegate.planning.planned_limits import PlannedLimit, asked
from prunegate.policy.schema import Policy
from prunegate.stats.reliable import SCORE_MINIMUM
from prunegate.verdict.judged_slices import classes_to_judge

USUAL = 130
"""Size up to which a sample grows whatever the power: fewer promise so few rows of the class that
a candidate which did change a little, within what is allowed, is hardly ever shown to. Where there
are further looks they may."""

HARDLY_MORE = 0.02
"""Where even all rows that both decide as a class do not give the wanted power, and not more than
this above a sample's, further labels are wasted: what is lacking is rows, labelled or not."""


@dataclass(frozen=True, kw_only=True)
class LabelPart:
    """One limit, its slice's decisions and what it asks for."""

    limit: PlannedLimit
    class_label: str | None
    """The one of several classes that it is about; None: a yes/no task, or all together."""
    form: Form
    needs: LabelsNeeded
    decided: Cells
    """Rows of its slice by ``2 * baseline + candidate``."""
    alpha: float
    usual: int
    several: bool = False
    """Whether it is about several classes together."""

    def power(self, sample: int) -> float | None:
        """With a sample of so many labels."""
        return power_of(self.limit.claim, self.form, self.decided, sample, self.alpha)

    def random_rows(self, power: float) -> int | None:
        """Rows to draw at random among all; None: nobody can plan it."""
        if self.several and not isinstance(self.limit.claim, Level):
            return None
        return random_rows(self.limit, self.form, self.decided, self.alpha, power)

    def random_power(self, rows: int) -> float | None:
        """With so many rows drawn at random among all; None: nobody can plan it."""
        if self.several and not isinstance(self.limit.claim, Level):
            return None
        return random_power(self.limit, self.form, self.decided, self.alpha, rows)

    def does(self, sample: int, power: float) -> bool:
        """Whether a sample is large enough: for the power, or for nearly what all rows give."""
        told = self.power(sample)
        if sample < min(self.usual, self.agreed):
            return False
        if told is None or told >= power:
            return True
        most = self.power(self.agreed) or 0.0
        return most < power and told >= most - HARDLY_MORE

    @property
    def least(self) -> int:
        """Rows of its sample at the least: so many flagged rows the test of precision takes."""
        return SCORE_MINIMUM if isinstance(self.form, Overlapping) else 0

    @property
    def agreed(self) -> int:
        """Rows that both models decide as the metric's class."""
        return self.decided[3 * self.label]

    @property
    def label(self) -> int:
        """1: the metric is about the positive class, or about the class given."""
        labels = self.form.labels if isinstance(self.form, SharedRows) else (1,)
        return labels[0]

    def frame_in(self, frame: SliceFrame) -> AgreedFrame:
        """The part of a slice's frame that it is about."""
        return frame if self.class_label is None else frame.of_label(self.class_label)

    def held(self, frame: SliceFrame) -> int:
        """Rows of its sample in a frame."""
        return int(getattr(self.frame_in(frame), AGREED[self.label]))

    def with_sample(self, frame: SliceFrame, size: int) -> SliceFrame:
        """The frame with another size of its sample."""
        if self.class_label is None:
            changed: dict[str, Any] = {AGREED[self.label]: size}
            return replace(frame, **changed)
        return frame.with_label(replace(frame.of_label(self.class_label), both=size))


def label_parts(policy: Policy, slices: Sequence[SliceCounts]) -> list[LabelPart]:
    """Every limit that will be judged, or may be: how many positives there are is not known yet."""
    known = {one.name: one for one in slices}
    found = []
    for limit in asked(policy, before_labels(slices)).limits:
        one = known[limit.counts.name]
        for label in classes_to_judge(policy, limit.rule, slices[0], one):
            several = policy.task.traits.classes and label is None
            form = METRICS[limit.metric].forms["multiclass" if several else "binary"]
            part = LabelPart(
                limit=limit,
                class_label=label,
                form=form,
                needs=labels_needed(form, limit.claim),
                decided=decided_of(one, label),
                alpha=policy.evidence.alpha,
                usual=USUAL if policy.evidence.looks == 1 else 0,
                several=several,
            )
            found.append(part)
    return found


def before_labels(slices: Sequence[SliceCounts]) -> list[SliceCounts]:
    """The slices with as many rows of the rarest class as there may be."""
    return [replace(one, tally=JointCounts(cells=(*(0,) * 7, one.rows))) for one in slices]


def decided_of(one: SliceCounts, label: str | None = None) -> Cells:
    """How the rows of a slice are decided; of several classes together: alike, or differently."""
    tally = one.tally
    if isinstance(tally, PartialLabels):
        if label is not None:
            return tally.of_class(label).decided
        return tally.rows - tally.differ, tally.differ // 2, tally.differ - tally.differ // 2, 0
    assert isinstance(tally, PartialCounts)  # noqa: S101  # by the reading
    return tally.decided
