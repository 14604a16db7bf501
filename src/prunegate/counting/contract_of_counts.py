"""The data contract of a predictions table: what its slices must have before a verdict says much.

Whatever keeps rows from being read (labels that the task does not have, repeated ids, empty values)
is refused by counting them. What is left to ask is whether every declared slice is there with as
many rows and positives as the policy's minimum evidence, and whether the mix is production's; Great
Expectations judges the counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prunegate.counting.production_counts import counted_slices, rows_by_value
from prunegate.counting.slices import SliceCounts
from prunegate.data.contract.contract import ContractReport, report_of
from prunegate.data.contract.counts import Count
from prunegate.data.contract.mix import mix_count, mix_warning
from prunegate.data.predictions.columns import shown
from prunegate.policy.schema import Policy


def contract_of_counts(
    policy: Policy,
    slices: Sequence[SliceCounts],
    warnings: Sequence[str] = (),
    further: Sequence[Count] = (),
) -> ContractReport:
    """Judge counted predictions against the data contract that the policy implies.

    Args:
        policy: the policy.
        slices: overall first.
        warnings: what counting noticed.
        further: what else is asked of the counts.

    Raises:
        InternalError: Great Expectations failed, dropped an expectation or contradicted us.
    """
    rows = rows_by_value(policy, slices)
    counts = [count for one in counted_slices(slices) for count in _of_slice(policy, one)]
    mix = mix_count(policy, rows)
    far = mix_warning(policy, rows) if mix is None else None
    told = (*warnings, *((far,) if far else ()))
    return report_of((*counts, *((mix,) if mix else ()), *further), told)


def _of_slice(policy: Policy, counts: SliceCounts) -> Iterator[Count]:
    if not counts.declared:
        return
    minimum, name = policy.evidence.minimum, shown(counts.name)
    labelled = policy.task.traits.decided
    yield Count(
        name=f"{counts.name}.rows",
        words=f"rows of {name}",
        value=counts.rows or None,
        at_least=minimum.rows,
        evidence=True,
        advice=f"{'label' if labelled else 'add'} {max(minimum.rows - counts.rows, 0):,} more rows "
        "of it, or declare only what production sees",
    )
    if policy.task.traits.decided:
        rarest = (
            "rows of the rarest label" if policy.task.traits.sets else "rows of the rarest class"
        )
        yield Count(
            name=f"{counts.name}.positives",
            words=f"{'positive rows' if policy.task.traits.yes_no else rarest} of {name}",
            value=counts.positives or None,
            at_least=minimum.positives,
            evidence=True,
            advice=f"label {max(minimum.positives - counts.positives, 0):,} more of them",
        )
