"""Groups of rows: what the engine sums over them is what pandas finds group by group."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.depth import THOROUGH, times
from tests.unit.counting import kinds

import prunegate
from prunegate.counting import grouping
from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.feature_sums import FEATURES, SECOND, THIRD
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts, LabelCounts, Sums
from prunegate.errors import InputError

pytestmark = pytest.mark.slow

GROUP = "group: post\n"


def counted(kind: str, data: pd.DataFrame) -> dict[str, SliceCounts]:
    policy = kinds.policy(kind, more=GROUP)
    return {one.name: one for one in count_table(policy, open_predictions(policy, data)).slices}


def cell_of(kind: str, row: Any) -> Any:
    if kind == "multiclass":
        return row.label, row.baseline, row.candidate
    if kind == "labels":
        bits = [value == "unsafe" for value in (row.label, row.baseline, row.candidate)]
    else:
        bits = [row.label == "unsafe", row.baseline >= 0.5, row.candidate >= 0.5]
    return 4 * bits[0] + 2 * bits[1] + bits[2]


def by_hand(per_group: list[Counter[Any]]) -> Clusters:
    products: Counter[Any] = Counter()
    shared: Counter[Any] = Counter()
    for cells in per_group:
        for one, other in product(cells, repeat=2):
            products[one, other] += cells[one] * cells[other]
            shared[one, other] += 1
    return Clusters(groups=len(per_group), products=products, shared=shared)


def groups_of(kind: str, rows: pd.DataFrame) -> list[Counter[Any]]:
    return [
        Counter(cell_of(kind, row) for row in part.itertuples())
        for _, part in rows.groupby("post", sort=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "labels", "multiclass"])
@given(seed=st.integers(0, 10**6), rows=st.integers(12, 120))
@settings(max_examples=times(2, thorough=6), deadline=None, phases=(Phase.generate,))
def test_cells_occur_together_as_pandas_finds_them(kind: str, seed: int, rows: int) -> None:
    data = kinds.table(kind, seed, rows)
    found = counted(kind, data)
    masks = present(data)
    assert {name for name, one in found.items() if one.rows} == set(masks)
    for name, one in found.items():
        assert isinstance(one.tally, JointCounts | LabelCounts)
        hand = by_hand(groups_of(kind, data[masks[name]])) if name in masks else None
        assert one.tally.clusters == hand


def present(data: pd.DataFrame) -> dict[str, Any]:
    """The slices that have a row."""
    return {name: mask for name, mask in kinds.slices_of(data).items() if mask.any()}


def units_of(kind: str, rows: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Change, baseline and weight of every group."""
    weight = rows["tokens"] if kind == "language" and quantity == "value" else 1.0
    of = "_quality" if quantity == "quality" else ""
    before, after = rows[f"baseline{of}"], rows[f"candidate{of}"]
    if quantity in ("error", "square"):
        power = 2 if quantity == "square" else 1
        before, after = ((scores - rows["label"]).abs() ** power for scores in (before, after))
    features = rows[["post"]].assign(change=after - before, baseline=before, weight=weight)
    return features.groupby("post")[list(FEATURES)].sum()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["score", "language"])
@given(seed=st.integers(0, 10**6), rows=st.integers(12, 120))
@settings(max_examples=times(2, thorough=6), deadline=None, phases=(Phase.generate,))
def test_moments_of_groups_are_pandas(kind: str, seed: int, rows: int) -> None:
    data = kinds.table(kind, seed, rows)
    found = counted(kind, data)
    for name, mask in present(data).items():
        tally, chosen = found[name].tally, data[mask]
        assert isinstance(tally, Sums)
        assert tally.rows == len(chosen)
        for quantity, moments in tally.quantities.items():
            units = units_of(kind, chosen, quantity).to_numpy()
            assert moments.units == len(units)
            scale = float(np.abs(units).max(initial=1.0))
            assert list(map(float, moments.first)) == pytest.approx(units.sum(0), abs=1e-8 * scale)
            for places, sums in ((SECOND, moments.second), (THIRD, moments.third)):
                for place, value in zip(places, sums, strict=True):
                    expected = units[:, list(place)].prod(1)
                    near = 1e-3 * np.abs(expected).sum() + 1e-6
                    assert float(value) == pytest.approx(expected.sum(), abs=near)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "numbers"), [("binary", (2,)), ("labels", (2, 3)), ("score", (3,))]
)
def test_slicings_asked_about_together_are_counted_as_each_alone(
    kind: str, numbers: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = kinds.sliced("kind", "far")
    policy, data = kinds.policy(kind, slices=slices, more="group: post\n"), kinds.table(kind, 2, 60)
    found = []
    for together in (0, *((2, 3) if THOROUGH else numbers)):
        monkeypatch.setattr(grouping, "ROWS_TOGETHER", together * len(data))
        found.append(count_table(policy, open_predictions(policy, data)).slices)
    one, *others = ([asdict(one) for one in slices] for slices in found)
    assert others == [one] * len(others)
    assert others


def test_the_moments_of_single_rows_are_those_of_groups_of_one() -> None:
    data = kinds.table("score", 2, 90).assign(post=range(90))
    single = kinds.policy("score")
    alone = count_table(single, open_predictions(single, data)).slices
    in_groups = counted("score", data)
    for one in alone:
        grouped = in_groups[one.name].tally
        assert isinstance(one.tally, Sums)
        assert isinstance(grouped, Sums)
        assert grouped.quantities == one.tally.quantities


HOLDERS = st.lists(
    st.dictionaries(st.integers(0, 5), st.integers(1, 3), min_size=1, max_size=4), max_size=30
)


@given(holders=HOLDERS, wanted=st.sets(st.integers(0, 5)))
@settings(max_examples=times(50, thorough=150))
def test_holding_is_never_above_the_number_of_groups(
    holders: list[dict[int, int]], wanted: set[int]
) -> None:
    clusters = by_hand([Counter(cells) for cells in holders])
    true = sum(bool(wanted & cells.keys()) for cells in holders)
    found = clusters.holding(lambda cell: cell in wanted)
    assert found <= true
    assert (found > 0) == (true > 0)
    if all(len(wanted & cells.keys()) < 2 for cells in holders) or len(wanted) < 3:
        assert found == true


LABELLED = st.lists(
    st.lists(st.tuples(*[st.sampled_from("uvw")] * 3), min_size=1, max_size=5),
    min_size=1,
    max_size=15,
)


@given(rows=LABELLED)
@settings(max_examples=times(20, thorough=40))
def test_one_class_of_many_keeps_its_products_and_counts_no_group_too_many(rows: Any) -> None:
    def merged(triple: Any) -> int:
        return int(sum((p == "u") << s for p, s in zip(triple, (2, 1, 0), strict=True)))

    per_group = [Counter(group) for group in rows]
    tally = LabelCounts(cells=sum(per_group, Counter()), clusters=by_hand(per_group))
    found = tally.of_class("u")
    exact = by_hand([Counter(map(merged, group)) for group in rows])
    assert found.clusters is not None
    assert found.clusters.groups == exact.groups
    assert found.clusters.products == exact.products
    for role in product((False, True), repeat=8):
        wanted = {cell for cell, chosen in enumerate(role) if chosen}
        true = sum(bool(wanted & set(map(merged, group))) for group in rows)
        assert found.clusters.holding(lambda cell, wanted=wanted: cell in wanted) <= true  # type: ignore[misc]  # binds the loop's value


def test_a_named_slice_with_lists_sees_only_its_own_rows_of_a_group() -> None:
    data = kinds.table("labels", 1, 60).assign(post="one")
    far = data["region"].isin(["x", "z"])
    clusters = counted("labels", data)["far"].tally.clusters  # type: ignore[attr-defined]  # counts of cells
    assert clusters.groups == 1
    assert sum(clusters.products.values()) == far.sum() ** 2


@pytest.mark.parametrize("kind", kinds.KINDS)
@pytest.mark.parametrize("value", [None, "", np.nan])
def test_a_row_without_its_group_is_bad_input(kind: str, value: Any) -> None:
    data = kinds.table(kind, 1, 30)
    data["post"] = [value, *("p" + data["post"].astype(str))[1:]]
    policy = kinds.policy(kind, more=GROUP)
    with pytest.raises(InputError) as caught:
        prunegate.judge(policy, data)
    words = "column 'post': 1 row with no value, but the policy names it as the group"
    assert words in str(caught.value)
    assert "at id 'r0'" in str(caught.value)
    with pytest.raises(InputError, match="post"):
        prunegate.judge(policy, data.drop(columns="post"))


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_joint_counts_need_their_group_too(kind: str) -> None:
    counts = pd.DataFrame(
        {"label": [1, 0], "baseline": [1, 0], "candidate": [1, 0], "n": [5, 5]}
        | {"kind": "a", "region": "x", "post": ["p", None]}
    )
    rules = [
        rule for rule in kinds.all_rules(kind) if not any(n in rule for n in kinds.FROM_SCORES)
    ]
    policy = kinds.policy(kind, rules, more=GROUP)
    with pytest.raises(InputError, match=r"column .post. has 1 rows without a value"):
        prunegate.judge_counts(policy, counts)
    with pytest.raises(InputError, match=r"lack the column\(s\) post"):
        prunegate.judge_counts(policy, counts.drop(columns="post"))


def test_fixed_point_sums_are_exact() -> None:
    """Whole groups of quarters: no rounding is needed, so none may happen."""
    data = kinds.table("score", 6, 40)
    random = np.random.default_rng(1)
    for name in ("label", "baseline", "candidate"):
        data[name] = random.integers(-4, 17, 40) / 4
    tally = counted("score", data)["overall"].tally
    assert isinstance(tally, Sums)
    units = units_of("score", data, "value")
    exact = [[Fraction(float(x)) for x in row] for row in units.to_numpy()]
    assert tally.quantities["value"].second == tuple(
        sum((row[i] * row[j] for row in exact), Fraction(0)) for i, j in SECOND
    )
