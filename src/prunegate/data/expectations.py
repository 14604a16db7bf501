"""Great Expectations as a judge of counts: one guarded expectation per limit, none of them vacuous.

Expectations over rows pass when there are no rows; a count does not. So each limit becomes "exactly
one row of the profile carries this number and lies inside": a figure that is missing, doubled or
NaN fails. Only whole numbers and floats reach the engine, never a name from the data, because
conditions are evaluated as code. Importing Great Expectations takes seconds, hence inside.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prunegate.errors import InternalError


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A figure and the range that it has to lie in, ends included."""

    value: float | None
    """None: there is no such figure, which is never inside."""
    at_least: float = -math.inf
    at_most: float = math.inf

    @property
    def holds(self) -> bool:
        """The same judgement by plain comparison; NaN is outside."""
        return self.value is not None and self.at_least <= self.value <= self.at_most


def judge(limits: Sequence[Limit]) -> tuple[bool, ...]:
    """Let Great Expectations judge every limit; return one answer per limit.

    Raises:
        InternalError: an expectation was dropped, could not be evaluated, or contradicts plain
            comparison. Nothing of that is the data's fault.
    """
    if not limits:
        raise InternalError("there is nothing to judge; a contract needs at least one limit")
    results = _validate(limits)
    if len(results) != len(limits):
        raise InternalError(f"{len(limits)} expectations were given, {len(results)} came back")
    answers = dict(map(_answer, results))
    for place, limit in enumerate(limits):
        if answers.get(place) is not limit.holds:
            raise InternalError(f"Great Expectations contradicts plain comparison on {limit}")
    return tuple(answers[place] for place in range(len(limits)))


def _validate(limits: Sequence[Limit]) -> list[Any]:
    with warnings.catch_warnings():
        # great_expectations imports sre_constants and sre_parse, which Python 3.11 retires.
        warnings.filterwarnings("ignore", "module 'sre_", DeprecationWarning)
        # It imports pyspark where that is installed; nothing here uses it.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support", FutureWarning)
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("profile")
    batches = source.add_dataframe_asset("profile").add_batch_definition_whole_dataframe("all")
    frame = pd.DataFrame(_rows(limits), columns=["place", "value"]).astype({"value": "float64"})
    suite = gx.ExpectationSuite(
        name="limits", expectations=list(map(_expect, range(len(limits)), limits))
    )
    batch = batches.get_batch({"dataframe": frame})
    return list(batch.validate(suite, result_format="BOOLEAN_ONLY").results)


def _rows(limits: Sequence[Limit]) -> list[tuple[int, float]]:
    """Return the figures that there are, with their places; NaN is none."""
    numbered = [(place, limit.value) for place, limit in enumerate(limits)]
    return [(p, value) for p, value in numbered if value is not None and not math.isnan(value)]


def _expect(place: int, limit: Limit) -> Any:
    from great_expectations.expectations import ExpectTableRowCountToEqual
    from great_expectations.expectations.row_conditions import Column

    condition = Column("place") == place
    if not math.isinf(limit.at_least):
        condition &= Column("value") >= limit.at_least
    if not math.isinf(limit.at_most):
        condition &= Column("value") <= limit.at_most
    return ExpectTableRowCountToEqual(value=1, row_condition=condition, meta={"place": place})


def _answer(result: Any) -> tuple[int, bool]:
    config = result.expectation_config
    if result.exception_info.get("raised_exception", True):
        raise InternalError(f"an expectation failed to run: {result.exception_info}")
    return int(config.meta["place"]), bool(result.success)
