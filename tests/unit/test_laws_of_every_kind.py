"""What the gate promises whatever the kind of task, with and without groups of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.depth import THOROUGH, at_length, times
from tests.rules import of_rules
from tests.unit.counting import kinds

import prunegate
from prunegate.counting.count import count_table, open_predictions
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.metrics.hypothesis import Contrast, Difference, ErrorsAtMost, SuccessRatio
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Finding, Verdict

pytestmark = pytest.mark.slow

GROUPS = ("", "group: post\n")


def cases(first: int | None) -> Any:
    """Every kind with and without groups at length; by day in turn, so that laws share them out.

    Args:
        first: whether the first kind has groups by day (1) or not (0); None: both, by day, too.
    """
    every = [
        (kind, group)
        for place, kind in enumerate(kinds.KINDS)
        for number, group in enumerate(GROUPS)
        if THOROUGH or first is None or number == (place + first) % 2
    ]
    names = [f"{kind}{'-grouped' * bool(group)}" for kind, group in every]
    return pytest.mark.parametrize(("kind", "group"), every, ids=names)


SEED, ROWS = 4, 500
"""Of the table that several laws are about, whose verdict is worked out once."""
FLIPS = kinds.FLIPS


def few(examples: int) -> Any:
    """A few whole verdicts; smaller examples would say no more about a law."""
    return settings(max_examples=examples, deadline=None, phases=(Phase.explicit, Phase.generate))


def changes(kind: str, *, slices: str = "[overall, kind, far]") -> list[str]:
    """One change of every metric that has one, and a level of those that have none."""
    rules = []
    for name in kinds.METRICS[kind]:
        limit = "max_rise: 0.04" if name in kinds.LOWER else "max_drop: 0.04"
        limit = "at_most: 0.2" if name in FLIPS else limit
        rules.append(f"{{metric: {name}, slices: {slices}, {limit}}}")
    if kind == "multiclass":
        rules.append(f"{{metric: recall, slices: {slices}, classes: each, max_drop: 0.04}}")
    return rules


def policy_of(kind: str, group: str, *, slices: str = "[overall, kind, far]") -> Policy:
    """Only what is judged is declared, and so counted: counting takes most of the time."""
    declared = kinds.sliced(*(name for name in ("kind", "far") if name in slices))
    return kinds.policy(kind, changes(kind, slices=slices), slices=declared, more=group)


@cache
def judged(kind: str, group: str) -> Verdict:
    """The verdict on one table, which laws compare with that on the same rows told otherwise."""
    return prunegate.judge(policy_of(kind, group), kinds.table(kind, SEED, ROWS))


def known(verdict: Verdict) -> dict[tuple[object, ...], Finding]:
    return {(f.rule, f.slice, f.class_label, f.check): f for f in verdict.findings}


def known_of_rules(verdict: Verdict) -> dict[tuple[Any, ...], Finding]:
    """The same without the reference, which is asked on all rows and on what any rule judges."""
    return {key: one for key, one in known(verdict).items() if one in of_rules(verdict)}


def exchanged(data: pd.DataFrame) -> pd.DataFrame:
    pairs = [("baseline", "candidate"), ("baseline_quality", "candidate_quality")]
    return data.rename(columns={**dict(pairs), **{other: one for one, other in pairs}})


@cases(0)
def test_exchanging_the_models_mirrors_every_change(kind: str, group: str) -> None:
    data = kinds.table(kind, SEED, ROWS)
    mirrored = known(prunegate.judge(policy_of(kind, group), exchanged(data)))
    found = known(judged(kind, group))
    assert found.keys() == mirrored.keys()
    for key, one in found.items():
        other = mirrored[key]
        assert (one.lost, one.gained) == (other.gained, other.lost)
        if one.check == "at_most" or one.ci_low is None:  # a level, the reference
            continue
        assert one.difference is not None
        assert one.difference == pytest.approx(-other.difference, abs=1e-10)  # type: ignore[operator]  # set in both
        values = (other.candidate, other.baseline)
        assert (one.baseline, one.candidate) == pytest.approx(values, rel=1e-11)
        ends = (one.ci_low, one.ci_high)
        assert ends == pytest.approx((-other.ci_high, -other.ci_low), abs=1e-5)  # type: ignore[operator]  # set in both


def test_the_interval_of_a_macro_precision_is_mirrored_in_a_sparse_slice_too() -> None:
    rules = ["{metric: precision, slices: kind, max_drop: 0.04}"]
    policy, data = (
        kinds.policy("multiclass", rules, more=GROUPS[1]),
        kinds.table("multiclass", 11, 500),
    )
    wanted = WantedMetric(metric="precision", grouped=True)
    one, other = (
        evidence(wanted, next(s.tally for s in found.slices if s.name == "kind=b"))
        for found in (
            count_table(policy, open_predictions(policy, rows)) for rows in (data, exchanged(data))
        )
    )
    ends = one.change_interval(), other.change_interval()
    assert ends[0].high == pytest.approx(-ends[1].low, abs=1e-5)
    assert ends[0].low == pytest.approx(-ends[1].high, abs=1e-5)


CONTRASTS: tuple[tuple[Contrast, Contrast], ...] = (
    (Difference(margin=Fraction(1, 25)), Difference(margin=Fraction(1, 25), swapped=True)),
    (SuccessRatio(ratio=Fraction(9, 10)), SuccessRatio(ratio=Fraction(9, 10), swapped=True)),
    (ErrorsAtMost(ratio=Fraction(6, 5)), ErrorsAtMost(ratio=Fraction(6, 5), swapped=True)),
)


@cases(None)  # exchanged claims are hardly tested elsewhere
def test_a_claim_with_its_models_exchanged_is_the_claim_about_the_exchanged_table(
    kind: str, group: str
) -> None:
    policy, data = policy_of(kind, group, slices="overall"), kinds.table(kind, 8, 900)
    one, other = (
        count_table(policy, open_predictions(policy, rows)).slices
        for rows in (data, exchanged(data))
    )
    for name in kinds.METRICS[kind]:
        if name in FLIPS:
            continue
        wanted = WantedMetric(metric=name, grouped=bool(group))
        for plain, swapped in CONTRASTS:
            if name in kinds.LOWER and isinstance(plain, SuccessRatio):
                continue
            before = evidence(wanted, one[0].tally).test(swapped)
            after = evidence(wanted, other[0].tally).test(plain)
            assert before.p_value == pytest.approx(after.p_value, rel=1e-6, abs=1e-12)
            assert before.p_harm == pytest.approx(after.p_harm, rel=1e-6, abs=1e-12)


@cases(0)
def test_order_and_splitting_into_ten_files_change_nothing(
    kind: str, group: str, tmp_path: Path
) -> None:
    policy, data = policy_of(kind, group), kinds.table(kind, SEED, ROWS)
    whole = judged(kind, group)
    order = np.random.default_rng(1).permutation(ROWS)
    for place, part in enumerate(np.array_split(order, 10)):
        data.iloc[part].to_csv(tmp_path / f"p{place}.csv", index=False)
        data.iloc[part].to_parquet(tmp_path / f"p{place}.parquet", index=False)
    if group or THOROUGH:  # by day one kind of file with groups, the other without
        assert prunegate.judge(policy, str(tmp_path / "p*.csv")) == whole
    if not group or THOROUGH:
        assert prunegate.judge(policy, sorted(tmp_path.glob("p*.parquet"))) == whole
    if THOROUGH:
        assert prunegate.judge(policy, data.iloc[order]) == whole


def as_csv(data: pd.DataFrame, folder: Path) -> Path:
    data.to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


def as_parquet(data: pd.DataFrame, folder: Path) -> str:
    data.to_parquet(folder / "rows.parquet", index=False)
    return str(folder / "rows.parquet")


FORMS: tuple[Callable[[pd.DataFrame, Path], Any], ...] = (
    as_csv,
    lambda data, _: pl.from_pandas(data),
    lambda data, _: pa.Table.from_pandas(data, preserve_index=False),
    as_parquet,
    lambda data, _: duckdb.from_df(data),
)


def forms(kind: str, *, grouped: bool) -> tuple[Callable[[pd.DataFrame, Path], Any], ...]:
    """Every form at length; by day each for one kind at least, and three for each kind."""
    place = kinds.KINDS.index(kind)
    some = (FORMS[(place + 2) % 5],) if grouped else (FORMS[place], FORMS[(place + 1) % 5])
    return FORMS if THOROUGH else some


@cases(0)
def test_every_source_of_the_same_rows_gives_the_same_verdict(
    kind: str, group: str, tmp_path: Path
) -> None:
    policy, data = policy_of(kind, group), kinds.table(kind, SEED, ROWS)
    for form in forms(kind, grouped=bool(group)):
        assert prunegate.judge(policy, form(data, tmp_path)) == judged(kind, group)


SAME = ("p_value", "p_harm", "ci_low", "ci_high", "n", "baseline", "candidate")


@cases(1)
def test_rows_of_another_slice_change_no_p_value(kind: str, group: str) -> None:
    """Nor do they where fewer slicings are judged."""
    data, more = kinds.table(kind, SEED, ROWS), kinds.table(kind, 7, 300)
    more = more.assign(kind="new", region="new")
    more["id"] = "m" + more["id"]
    more.loc[more["post"] % 2 == 0, "post"] += 10**6  # some groups span old and new slices
    before = {
        key: one
        for key, one in known_of_rules(judged(kind, group)).items()
        if key[1].startswith("kind=")
    }
    few_slices = policy_of(kind, group, slices="kind")
    after = known_of_rules(prunegate.judge(few_slices, pd.concat([data, more])))
    assert {key[1] for key in after} == {key[1] for key in before} | {"kind=new"}
    for key, one in before.items():
        assert [getattr(after[key], name) for name in SAME] == [getattr(one, name) for name in SAME]


@cases(0)
def test_a_further_slicing_or_rule_changes_no_p_value(kind: str, group: str) -> None:
    rules, data = changes(kind), kinds.table(kind, SEED, ROWS)
    data["season"] = np.where(data["post"] % 3 == 0, "holiday", "plain")
    before = known_of_rules(judged(kind, group))
    more = [r.replace("0.04", "0.3").replace("0.2", "0.6").replace("far", "season") for r in rules]
    slices = kinds.sliced("kind", "far").replace("]}}]", "]}}, {by: season}]")
    larger = kinds.policy(kind, [*rules, *more], slices=slices, more=group)
    after = known_of_rules(prunegate.judge(larger, data))
    assert len(after) > len(before)
    for key, one in before.items():
        assert [getattr(after[key], name) for name in SAME] == [getattr(one, name) for name in SAME]


EXTRAS = ("", ", slices: kind", ", evidence: point", ", severity: warn")


def rule(kind: str, name: str, extra: str, margin: float) -> str:
    limit = "max_rise" if name in kinds.LOWER else "max_drop"
    return f"{{metric: {name}, {'at_most' if name in FLIPS else limit}: {margin}{extra}}}"


@cases(1)
@given(choice=st.data())
@few(times(2, thorough=12))
def test_a_further_check_never_makes_an_approve(kind: str, group: str, choice: Any) -> None:
    pairs = st.tuples(st.sampled_from(kinds.METRICS[kind]), st.sampled_from(EXTRAS))
    drawn = choice.draw(st.lists(pairs, min_size=1, max_size=4, unique=True))
    margins = choice.draw(st.lists(st.sampled_from([0.002, 0.05, 0.5, 0.9]), min_size=5))
    blocking = rule(kind, kinds.METRICS[kind][0], ", slices: far", 0.7)
    rules = [blocking, *(rule(kind, *pair, m) for pair, m in zip(drawn, margins, strict=False))]
    data = kinds.table(kind, choice.draw(st.integers(0, 5)), 900)
    declared = kinds.sliced("kind", "far")
    before, after = (
        prunegate.judge(kinds.policy(kind, some, slices=declared, more=group), data)
        for some in (rules[:-1], rules)
    )
    assert before.outcome == "approve" or after.outcome != "approve"


def test_a_loose_policy_is_approved_for_every_kind() -> None:
    """Without this the law above could hold because nothing is ever approved."""
    for kind in kinds.KINDS:
        for group in GROUPS:
            name = kinds.METRICS[kind][-1 if kind == "language" else 0]
            limit = "max_rise: 0.7" if name in kinds.LOWER else "max_drop: 0.7"
            loose = [f"{{metric: {name}, {limit}}}"]
            policy = kinds.policy(kind, loose, slices=kinds.sliced("far"), more=group)
            data = kinds.table(kind, 1, 2000)
            assert prunegate.judge(policy, data).outcome == "approve", (kind, group)


def joint_counts(kind: str, data: pd.DataFrame) -> pd.DataFrame:
    """The same rows as counts: shares of some lines apart, and lines of no rows."""
    counts = data[["kind", "region", "post"]].copy()
    for name in ("label", "baseline", "candidate"):
        values = data[name]
        if kind == "binary" and name != "label":
            values = (values >= 0.5).astype(int)
        elif kind != "multiclass":
            values = (values == "unsafe").astype(int)
        counts[name] = values
    keys = list(counts.columns)
    some = counts[::3].groupby(keys, as_index=False).size().rename(columns={"size": "n"})
    rest = counts.drop(counts.index[::3]).assign(n=1)
    none = counts.assign(n=0, post=counts["post"] + 10**6)  # groups that no row is of
    other = counts.assign(n=0, candidate=counts["candidate"].to_numpy()[::-1])
    return pd.concat([some, rest, none, other])


@pytest.mark.parametrize("group", GROUPS, ids=["single", "grouped"])
@pytest.mark.parametrize("kind", ["binary", "labels", "multiclass"])
def test_joint_counts_are_judged_like_their_rows(kind: str, group: str) -> None:
    rules = [rule for rule in changes(kind) if not any(n in rule for n in kinds.FROM_SCORES)]
    policy = kinds.policy(kind, rules, slices=kinds.sliced("kind", "far"), more=group)
    for seed, rows in ((SEED, ROWS), *at_length((1, 400), (2, 400), (3, 400))):
        data = kinds.table(kind, seed, rows)
        expected = prunegate.judge(policy, data)
        found = prunegate.judge_counts(policy, joint_counts(kind, data))
        assert replace(found, warnings=()) == replace(expected, warnings=())
        assert set(found.warnings) <= set(expected.warnings)  # only rows name large groups


def repeated(data: pd.DataFrame, times: int) -> pd.DataFrame:
    copies = [data.assign(id=data["id"] + f"-{copy}") for copy in range(times)]
    return pd.concat(copies, ignore_index=True)


def each_by_itself(kind: str) -> pd.DataFrame:
    """Rows of groups of one row."""
    return kinds.table(kind, 5, 1500).assign(post=range(1500))


@cache
def judged_by_itself(kind: str, group: str) -> dict[tuple[Any, ...], Finding]:
    """What two laws compare with."""
    policy = policy_of(kind, group, slices="overall")
    return known_of_rules(prunegate.judge(policy, each_by_itself(kind)))


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_groups_of_one_row_are_next_to_no_groups(kind: str) -> None:
    single, grouped = (judged_by_itself(kind, group) for group in GROUPS)
    for key, one in single.items():
        assert grouped[key].p_value == pytest.approx(one.p_value, rel=0.25, abs=0.01)
        assert grouped[key].p_harm == pytest.approx(one.p_harm, rel=0.25, abs=0.01)
        assert grouped[key].difference == one.difference


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_copies_of_rows_are_evidence_only_where_nobody_says_that_they_are_copies(kind: str) -> None:
    bold, once = (judged_by_itself(kind, group) for group in GROUPS)
    copies = repeated(each_by_itself(kind), 4)
    naive, copied = (
        known_of_rules(prunegate.judge(policy_of(kind, group, slices="overall"), copies))
        for group in GROUPS
    )
    stronger = 0
    for key, one in once.items():
        for side in ("p_value", "p_harm"):
            assert getattr(copied[key], side) >= getattr(one, side) * 0.9 - 0.003, key
            stronger += getattr(naive[key], side) < 0.5 * getattr(bold[key], side)
    assert stronger
