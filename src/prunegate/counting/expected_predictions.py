"""The user's expectations of predictions: judged on the rows of the table that is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prunegate.counting.count import joined_source
from prunegate.counting.labelled_part import LabelledPart
from prunegate.counting.prediction_files import PredictionFiles
from prunegate.counting.read_source import JointCountsFile
from prunegate.data.contract.expected import JudgedExpectations, judge_expectations
from prunegate.data.contract.expected_kinds import Reads
from prunegate.data.predictions.open_table import open_wanted
from prunegate.data.predictions.table import Table
from prunegate.data.predictions.wanted import WantedColumns
from prunegate.errors import UnsupportedError
from prunegate.policy.schema import Policy

NO_ROWS = (
    "'data: expect:' is judged on rows, and joint counts have none; judge the predictions "
    "themselves, or remove it from the policy"
)


def judge_predictions_expected(policy: Policy, source: Any) -> JudgedExpectations:
    """What Great Expectations says of a table of predictions; raises as it does.

    Args:
        policy: has expectations.
        source: as for ``read_source``; of labels of some rows, the predictions are looked at.

    Raises:
        UnsupportedError: joint counts have no rows to look at.
    """
    if isinstance(source, JointCountsFile):
        raise UnsupportedError(NO_ROWS)
    given = source.predictions if isinstance(source, LabelledPart) else source
    files, own = PredictionFiles.of(given), policy.columns.id

    def opened(names: Sequence[str], reads: Reads) -> Table:
        wanted = WantedColumns(
            names=tuple(dict.fromkeys((own, *names))),
            text=frozenset(names) if reads == "texts" else frozenset({own}.difference(names)),
            numeric=frozenset(names) if reads == "numbers" else frozenset(),
        )
        return open_wanted(joined_source(policy, files, wanted), wanted)

    return judge_expectations(policy, opened)
