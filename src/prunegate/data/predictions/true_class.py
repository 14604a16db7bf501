"""True class: how a model's probabilities of several classes treat the class that the label names.

They are a list a row, in the order of the classes. A label that no probability is for has the
probability 0, and is not among the highest, however many are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prunegate.data.predictions.columns import let_sql, quoted, sql_text
from prunegate.data.predictions.scanned import Scanned

OfTrue = Literal["probability", "squares", "at_least", "highest", "improper"]
"""``probability``: of the true class. ``squares``: of all differences from what is true, added up.
``at_least``: classes with as high a score or higher, itself among them. ``highest``: the highest
probability, whose ever it is. ``improper``: 1 where the
list is no distribution."""
TOLERANCE = 0.01
"""By how much probabilities may miss 1 together: columns are rounded."""
_NOWHERE = 1_000_000_000
"""Place of a class that has no score."""


@dataclass(frozen=True, kw_only=True)
class TrueClass:
    """One thing to say of a list of probabilities and a label."""

    scores: str
    """The column of lists."""
    label: str
    """The column of labels."""
    what: OfTrue


def true_class_sql(scanned: Scanned, found: TrueClass, label: str) -> str:
    """SQL for it, null where there are no probabilities or no label.

    Args:
        scanned: has the lists, and knows their classes.
        found: what is wanted.
        label: SQL of the label, as text.
    """
    classes, cell = scanned.classes[found.scores], quoted(found.scores)
    names = ", ".join(map(sql_text, classes))
    own = f"{cell}[list_position([{names}], {label})]"
    given = f"coalesce({own}, 0.0)"
    if found.what == "probability":
        value = given
    elif found.what == "squares":
        value = f"list_sum([x * x for x in {cell}]) - 2 * {given} + 1"
    elif found.what == "at_least":
        higher = f"len([x for x in {cell} if x >= own])"
        counted = f"CASE WHEN own IS NULL THEN {_NOWHERE} ELSE {higher} END"
        value = let_sql("own", own, counted)
    elif found.what == "highest":
        value = f"list_max({cell})"
    else:
        off = f"abs(list_sum({cell}) - 1) > {TOLERANCE}"
        value = f"CAST({off} OR list_min({cell}) < 0 OR list_max({cell}) > 1 AS INTEGER)"
    known = f"{cell} IS NOT NULL AND {label} IS NOT NULL"
    return f"CASE WHEN {known} THEN CAST({value} AS DOUBLE) END"
