"""Labels needed: the rows that have to be labelled before a limit can be judged, and no others.

Two models' decisions are free, labels cost. Rows on which the models agree say nothing about a
change, so that many limits can be judged without their labels, and by the same test. What is needed
follows from the metric's form and from what the limit claims.
"""

from __future__ import annotations

from typing import Literal

from prunegate.metrics.forms import Flips, Form, Overlapping, SharedRows
from prunegate.metrics.hypothesis import Difference, Hypothesis, SuccessRatio

LabelsNeeded = Literal["none", "differs", "agreed", "flagged", "random"]
"""``none``: decisions alone decide. ``differs``: rows that the models decide differently.
``agreed``: those, and a random sample of the rows that both decide as the metric's class; of
precision, which has none of its own, as the positive one.
``flagged``: rows that either model flags. ``random``: a random sample of all rows, because rows on
which the models agree count as much as others."""


def labels_needed(form: Form, claim: Hypothesis) -> LabelsNeeded:
    """The rows to label for one limit of a yes/no task."""
    if isinstance(form, Flips):
        return "differs" if form.negative_only else "none"
    if isinstance(form, SharedRows):
        return _of_shared(form, claim)
    if isinstance(form, Overlapping) and form.kind == "precision":
        return "agreed"
    return "random"


def _of_shared(form: SharedRows, claim: Hypothesis) -> LabelsNeeded:
    every = len(form.labels) > 1
    if isinstance(claim, Difference):
        return "differs" if every else "agreed"
    if isinstance(claim, SuccessRatio) and form.labels == (1,):
        return "flagged"  # positives that neither model flags bear on no ratio of recalls
    return "random"
