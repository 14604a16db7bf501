"""What is known to keep limits open before anybody labels."""

from __future__ import annotations

import pytest

from prunegate.counting.labelling import SliceFrame
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.slices import SliceCounts
from prunegate.planning.label_shortfalls import shortfalls
from prunegate.policy.load import parse_policy

DECIDED = (9000, 100, 100, 800)


def found(minimum: str, frame: dict[str, object]) -> list[tuple[str, str, int, int]]:
    policy = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
        f"evidence: {{minimum: {{{minimum}}}}}\nrules: [{{metric: recall, max_drop: 0.02}}]\n"
    )
    tally = PartialCounts(decided=DECIDED, cells=(0,) * 8)
    one = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    none = SliceCounts(
        name="kind=audio", slicing="kind", declared=True, tally=PartialCounts(decided=(0,) * 4)
    )
    listed = SliceFrame(name="overall", rows=sum(DECIDED), **frame)  # type: ignore[arg-type]  # by name
    told = shortfalls(policy, [one, none], [listed])
    return [(one.slice, one.kind, one.wanted, one.expected) for one in told]


@pytest.mark.parametrize(
    ("minimum", "frame", "lacks"),
    [
        ("positives: 740", {"differs": True, "both": 800}, None),
        ("positives: 741", {"differs": True, "both": 800}, ("positives", 741, 740)),
        ("positives: 741", {"flagged": True}, ("positives", 741, 740)),
        ("positives: 100", {"differs": True}, None),
        ("positives: 101", {"differs": True}, ("positives", 101, 100)),
        ("positives: 74", {"random": 1000}, None),
        ("positives: 75", {"random": 1000}, ("positives", 75, 74)),
        ("rows: 10000", {"differs": True}, None),
        ("rows: 10001", {"differs": True}, ("rows", 10001, 10000)),
    ],
)
def test_a_minimum_out_of_reach_and_an_absent_slice_are_told(
    minimum: str, frame: dict[str, object], lacks: tuple[str, int, int] | None
) -> None:
    absent = ("kind=audio", "absent", 1, 0)
    assert found(minimum, frame) == [absent, *([("overall", *lacks)] if lacks else [])]
