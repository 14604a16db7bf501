"""The user's expectations of labelled data: judged on the rows of the table, of every split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prunegate.data.contract.expected import JudgedExpectations, judge_expectations
from prunegate.data.contract.expected_kinds import Reads
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.table import Table
from prunegate.policy.schema import Policy


def judge_labelled(policy: Policy, folder: Path) -> JudgedExpectations:
    """What Great Expectations says of a policy's labelled table; raises as it does.

    Args:
        policy: has expectations, and names the table.
        folder: what its paths are relative to.
    """
    own = policy.data.columns.id

    def opened(names: Sequence[str], reads: Reads) -> Table:
        return open_table(
            folder / str(policy.data.table),
            (own, *names),
            text_columns=tuple(names) if reads == "texts" else tuple({own}.difference(names)),
            numeric_columns=names if reads == "numbers" else (),
        )

    return judge_expectations(policy, opened)
