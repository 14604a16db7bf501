"""A group that holds too much of a slice is named, where the policy lets rows be shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.counting.largest_groups import LargestGroups, largest_groups
from prunegate.counting.read_source import read_source
from prunegate.policy.load import parse_policy
from prunegate.verdict.decide import decide
from prunegate.verdict.large_groups import outweighed_slices, with_groups_named

POLICY = """prunegate: 1
name: posts
task: {kind: binary, positive: bad, threshold: 0.5}
group: post
slices: [{by: kind}]
evidence: {reference: off}
rules: [{metric: accuracy, slices: all, max_drop: 0.02}]
"""


def rows() -> pd.DataFrame:
    """2,000 rows of video, half of them in two posts; 4,000 other rows, in posts of four."""
    kind = np.repeat(["video", "text"], [2000, 4000])
    post = [f"p{i // 4}" for i in range(6000)]
    post[:600], post[600:1000] = ["viral"] * 600, ["loud"] * 400
    label = np.where(np.arange(6000) % 5 == 0, "bad", "good")
    score = np.where(label == "bad", 0.9, 0.1)
    return pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(6000)],
            "label": label,
            "baseline": score,
            "candidate": score,
            "kind": kind,
            "post": post,
        }
    )


@pytest.mark.parametrize(
    ("report", "told"),
    [
        ("", "the 2 largest groups viral, loud hold 1,000 of 2,000 rows (50.0 %)"),
        ("report: {examples: none}", "the 2 largest groups hold 1,000 of 2,000 rows (50.0 %)"),
        ("report: {redact: [id]}", "the 2 largest groups hold 1,000 of 2,000 rows (50.0 %)"),
    ],
)
def test_the_groups_are_named_only_where_rows_may_be_shown(report: str, told: str) -> None:
    policy = parse_policy(POLICY + report)
    read = read_source(policy, rows())
    verdict = decide(policy, read.counted.slices)
    slices = outweighed_slices(verdict)
    assert slices == ("overall", "kind=video")
    named = with_groups_named(policy, verdict, largest_groups(policy, read.table, slices))
    end = "too much for any outcome to show a limit there; label rows of others."
    first = told.replace("of 2,000", "of 6,000").replace("50.0", "16.7")
    warnings = (f"On overall {first}: {end}", f"On kind=video {told}: {end}")
    assert named.warnings == (*verdict.warnings, *warnings)
    assert replace(named, warnings=verdict.warnings) == verdict


def largest_of(sizes: pd.Series[int]) -> LargestGroups:
    """Up to three groups of at least half the largest one's rows, ties by name; by pandas."""
    first = sizes.reset_index(name="n").sort_values(["n", "post"], ascending=[False, True])[:3]
    held = first[2 * first.n >= first.n.max()]
    return LargestGroups(names=tuple(held.post), rows=int(held.n.sum()))


def slices_of(frame: pd.DataFrame) -> dict[str, LargestGroups]:
    found = {"overall": largest_of(frame.groupby("post").size())}
    for key in ("kind", "place"):
        for value, part in frame.groupby(key):
            found[f"{key}={value}"] = largest_of(part.groupby("post").size())
    return found


SEVERAL = POLICY.replace("[{by: kind}]", "[{by: kind}, {by: place}]")
few = st.integers(0, 4)


@settings(max_examples=times(4, thorough=300))
@given(st.lists(st.tuples(few, st.integers(0, 2), few), min_size=1, max_size=40))
def test_every_slice_has_its_own_largest_groups(drawn: list[tuple[int, int, int]]) -> None:
    frame = pd.DataFrame(drawn, columns=["post", "kind", "place"]).map("v{}".format)
    frame = frame.assign(id=range(len(frame)), label="bad", baseline=0.9, candidate=0.1)
    policy = parse_policy(SEVERAL)
    expected = slices_of(frame)
    found = largest_groups(policy, read_source(policy, frame).table, expected)
    assert found == expected


def test_a_small_slice_beside_many_larger_groups_is_looked_at() -> None:
    frame = rows().assign(place="here")
    frame.loc[5997:, "place"] = "there"
    frame.loc[5997:, "post"] = "tiny"
    policy = parse_policy(SEVERAL)
    found = largest_groups(policy, read_source(policy, frame).table, ["place=there"])
    assert found == {"place=there": LargestGroups(names=("tiny",), rows=3)}
