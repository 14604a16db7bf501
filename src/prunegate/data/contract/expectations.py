"""Great Expectations as a judge of counts: one guarded expectation per limit, none of them vacuous.

Expectations over rows pass when there are no rows; a count does not. So each limit becomes "exactly
one row of the profile carries this number and lies inside": a figure that is missing, doubled or
NaN fails. Only whole numbers and floats reach the engine, never a name from the data, because
conditions are evaluated as code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prunegate.data.contract.great_expectations import (
    answers_in_order,
    load_great_expectations,
    run_suite,
)
from prunegate.errors import InternalError


@dataclass(frozen=True, kw_only=True)
class CountLimit:
    """A figure and the range that it has to lie in, ends included."""

    value: float | None
    """None: there is no such figure, which is never inside."""
    at_least: float = -math.inf
    at_most: float = math.inf

    @property
    def holds(self) -> bool:
        """The same judgement by plain comparison; NaN is outside."""
        return self.value is not None and self.at_least <= self.value <= self.at_most


def judge_counts_limits(limits: Sequence[CountLimit]) -> tuple[bool, ...]:
    """Let Great Expectations judge every limit; return one answer per limit.

    Raises:
        InternalError: an expectation was dropped, could not be evaluated, or contradicts plain
            comparison. Nothing of that is the data's fault.
    """
    if not limits:
        raise InternalError("there is nothing to judge; a contract needs at least one limit")
    answers = answers_in_order(_validate(limits), len(limits))
    for answer, limit in zip(answers, limits, strict=True):
        if answer is not limit.holds:
            raise InternalError(f"Great Expectations contradicts plain comparison on {limit}")
    return answers


def _validate(limits: Sequence[CountLimit]) -> list[Any]:
    load_great_expectations()  # quietly, before an expectation is made
    rows = _rows(limits)
    columns: dict[str, list[float]] = {
        "place": [place for place, _ in rows],
        "value": [value for _, value in rows],
    }
    return run_suite(columns, list(map(_expect, range(len(limits)), limits)))


def _rows(limits: Sequence[CountLimit]) -> list[tuple[int, float]]:
    """Return the figures that there are, with their places; NaN is none."""
    numbered = [(place, limit.value) for place, limit in enumerate(limits)]
    return [(p, value) for p, value in numbered if value is not None and not math.isnan(value)]


def _expect(place: int, limit: CountLimit) -> Any:
    from great_expectations.expectations import ExpectTableRowCountToEqual
    from great_expectations.expectations.row_conditions import Column

    condition = Column("place") == place
    if not math.isinf(limit.at_least):
        condition &= Column("value") >= limit.at_least
    if not math.isinf(limit.at_most):
        condition &= Column("value") <= limit.at_most
    return ExpectTableRowCountToEqual(value=1, row_condition=condition, meta={"place": place})
