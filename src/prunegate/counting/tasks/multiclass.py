"""The multiclass task: one of several labels, chosen by both models."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE, LABEL
from prunegate.counting.labels import Labels
from prunegate.counting.loss_change import wrong_now_less_before
from prunegate.counting.tallies import LabelCounts, Tally
from prunegate.counting.tasks.joint_lines import LabelLines, labels_of
from prunegate.counting.tasks.task_counting import RowAnswers, TaskCounting
from prunegate.data.predictions.columns import EXAMPLES, shown
from prunegate.data.predictions.lookalikes import lookalikes
from prunegate.data.predictions.table import Table
from prunegate.errors import TableError
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.text.said import said


def _in_another_order(overall: LabelCounts) -> tuple[str, str] | None:
    """Two labels of the table that list the same names, as rows with several labels do."""
    first: dict[frozenset[str], str] = {}
    for label in sorted({label for cell in overall.cells for label in cell}):
        names = frozenset(name.strip() for name in label.translate(_SEPARATORS).split("|"))
        other = first.setdefault(names, label)
        if len(names) > 1 and other != label:
            return other, label
    return None


_SEPARATORS = str.maketrans(";,", "||")


class MulticlassTask(TaskCounting):
    """Labels of several classes; a change of loss is wrong now minus wrong before."""

    traits: ClassVar = TRAITS["multiclass"]
    reads: ClassVar = Labels
    reads_counts: ClassVar = LabelLines
    none: ClassVar = LabelCounts()
    as_text: ClassVar = True

    def line(self, values: Sequence[Any], rows: int) -> LabelCounts:
        label, baseline, candidate = labels_of(values)
        return LabelCounts(cells={(label, baseline, candidate): rows} if rows else {})

    def warnings(self, policy: Policy, overall: Tally) -> tuple[str, ...]:
        """That a model chooses labels which no row of the table has, or labels look alike."""
        if policy.task.classes or not isinstance(overall, LabelCounts):
            return ()
        known = {label for label, _, _ in overall.cells}
        found = []
        for place, model in ((1, "baseline"), (2, "candidate")):
            strange = [cell for cell in overall.cells if cell[place] not in known]
            if strange:
                rows = sum(overall.cells[cell] for cell in strange)
                labels = sorted({shown(cell[place]) for cell in strange})[:EXAMPLES]
                told = {"rows": rows, "model": model, "labels": ", ".join(labels)}
                found.append(said("warning.strange_labels", **told))
        labels_there = {label for cell in overall.cells for label in cell}
        found += [said("warning.in_labels", told=told) for told in lookalikes(labels_there)]
        if several := _in_another_order(overall):
            one, other = map(shown, several)
            found.append(said("warning.another_order", one=one, other=other))
        return tuple(found)

    def with_change(self, policy: Policy, table: Table) -> nw.LazyFrame[Any]:
        columns = policy.columns
        names = (columns.label, columns.baseline, columns.candidate)
        if len({table.kinds[name] == "text" for name in names}) > 1:
            raise TableError(
                f"columns {', '.join(repr(name) for name in names)} hold different kinds of "
                "values; in a multiclass task all three hold labels"
            )
        return table.frame.with_columns(wrong_now_less_before(*names))

    @property
    def parted(self) -> nw.Expr:
        """Exactly one of the two is right."""
        return (nw.col(BASELINE) == nw.col(LABEL)) != (nw.col(CANDIDATE) == nw.col(LABEL))

    def distance(self, policy: Policy) -> nw.Expr:
        del policy  # labels are as far apart as they can be
        return nw.lit(1.0)

    def answers(self, policy: Policy, row: Mapping[str, Any]) -> RowAnswers:
        del policy
        return RowAnswers(
            label=value_text(row[LABEL]),
            baseline=value_text(row[BASELINE]),
            candidate=value_text(row[CANDIDATE]),
            lost=bool(row[BASELINE] == row[LABEL]),
        )
