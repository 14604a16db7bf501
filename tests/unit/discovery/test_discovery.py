"""Discovery against brute force, and the laws of what it shows."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.counting import change_cells
from prunegate.counting.change_cells import flips_of, read_cells, row_keys
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.table import Table
from prunegate.discovery import conjunctions
from prunegate.discovery.discover import DiscoveryRequest, discover
from prunegate.discovery.discovered import DiscoveredSlice, Discovery
from prunegate.discovery.slice_family import SliceFamily, slice_family
from prunegate.errors import InputError, TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.stats.sign_flips import NormalFlips, UnitFlips, WholeFlips

pytestmark = pytest.mark.slow

COLUMNS = ("a", "b", "c")
MODELS = ("label", "baseline", "candidate")


def policy(slices: str = "", *, kind: str = "binary", group: str = "") -> Policy:
    task = {"binary": "{kind: binary, positive: 1}", "score": "{kind: score}"}[kind]
    metric = {"binary": "recall", "score": "mean_score"}[kind]
    head = f"prunegate: 1\nname: x\ntask: {task}\nslices: [{slices}]\n"
    head += f"group: {group}\n" if group else ""
    return parse_policy(f"{head}rules: [{{metric: {metric}, max_drop: 0.02}}]\n")


def opened(frame: pd.DataFrame, columns: tuple[str, ...] = COLUMNS) -> Table:
    group = ("g",) if "g" in frame else ()
    return open_table(
        frame,
        (*MODELS, *columns, *group),
        text_columns=(*columns, *group),
        numeric_columns=MODELS,
    )


def look(frame: pd.DataFrame, chosen: Policy | None = None, **request: Any) -> Discovery:
    columns = request.pop("columns", COLUMNS)
    asked = DiscoveryRequest(columns=columns, **{"support": 1, "flips": 99, "top": 1000, **request})
    return discover(chosen or policy(), opened(frame, columns), asked)


def decisions(change: list[int]) -> dict[str, list[int]]:
    """Labels and decisions whose loss changes as told: 1 lost, -1 gained."""
    return {
        "label": [1] * len(change),
        "baseline": [int(d >= 0) for d in change],
        "candidate": [int(d <= 0) for d in change],
    }


def brute_force(frame: pd.DataFrame, support: int, depth: int) -> dict[frozenset[Any], list[float]]:
    """Every conjunction: rows, lost, gained, summed change and its spread (by group if any)."""
    if "score" in frame:
        change = frame["score"]
    else:
        change = (frame.candidate != frame.label).astype(int) - (frame.baseline != frame.label)
    found = {}
    for level in range(1, depth + 1):
        for keys in combinations(COLUMNS, level):
            for values, rows in frame.groupby(list(keys), dropna=False):
                d = change[rows.index]
                units = d.groupby(frame["g"]).sum() if "g" in frame else d
                where = frozenset(zip(keys, values, strict=True))
                if len(rows) >= support:
                    spread = float((units**2).sum()) ** 0.5
                    found[where] = [len(rows), (d > 0).sum(), (d < 0).sum(), d.sum(), spread]
    return found


ROW = st.tuples(*[st.sampled_from("xyz")] * 3, st.sampled_from([-1, 0, 0, 1, 1]))


def frame_of(rows: list[Any]) -> pd.DataFrame:
    *columns, change = zip(*rows, strict=True)
    return pd.DataFrame({**dict(zip(COLUMNS, columns, strict=True)), **decisions(list(change))})


def family(frame: pd.DataFrame, chosen: Policy, depth: int, support: int) -> SliceFamily:
    table = opened(frame)
    cells = read_cells(chosen, table, COLUMNS)
    source, _ = flips_of(chosen, table, cells)
    return slice_family(chosen, cells, source, depth, support)


def as_brute_force(found: Any) -> dict[frozenset[Any], list[float]]:
    numbers = zip(found.rows, found.lost, found.gained, found.change, found.spread, strict=True)
    return {
        frozenset(where.items()): list(values)
        for where, values in zip(found.wheres, numbers, strict=True)
    }


def assert_same(found: dict[Any, list[float]], expected: dict[Any, list[float]]) -> None:
    assert found.keys() == expected.keys()
    for where, values in expected.items():
        assert found[where] == pytest.approx(values), where


@pytest.mark.slow
@settings(max_examples=times(20, thorough=60))
@given(st.lists(ROW, min_size=1, max_size=60), st.integers(1, 3), st.integers(1, 6))
def test_every_slice_is_counted_as_a_group_by_counts_it(
    rows: list[Any], depth: int, support: int
) -> None:
    frame = frame_of(rows)
    found = family(frame, policy(), depth, support)
    assert_same(as_brute_force(found), brute_force(frame, support, depth))


@pytest.mark.slow
@settings(max_examples=times(15, thorough=40))
@given(st.lists(st.tuples(ROW, st.integers(0, 4)), min_size=1, max_size=60), st.integers(1, 6))
def test_with_groups_the_spread_is_that_of_group_sums(rows: list[Any], support: int) -> None:
    frame = frame_of([row for row, _ in rows]).assign(g=[f"g{group}" for _, group in rows])
    found = family(frame, policy(group="g"), 3, support)
    assert_same(as_brute_force(found), brute_force(frame, support, 3))


@pytest.mark.slow
@settings(max_examples=times(10, thorough=30))
@given(st.lists(st.tuples(*[st.sampled_from("xy")] * 3, st.floats(-5, 5)), min_size=1, max_size=40))
def test_scores_are_summed_and_squared(rows: list[Any]) -> None:
    *columns, change = zip(*rows, strict=True)
    frame = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    frame = frame.assign(label=0.0, baseline=change, candidate=0.0, score=change)
    found = family(frame, policy(kind="score"), 3, 1)
    assert_same(as_brute_force(found), brute_force(frame, 1, 3))


def planted(rows: int = 6000, seed: int = 0, rate: float = 0.2) -> pd.DataFrame:
    """No change but chance, except that a=x,b=y lost one row in five."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({c: rng.choice(list("wxyz"), rows) for c in COLUMNS})
    change = rng.choice([-1, 0, 1], rows, p=[0.02, 0.96, 0.02])
    hit = (frame.a == "x") & (frame.b == "y") & (rng.random(rows) < rate)
    return frame.assign(**decisions(list(np.where(hit, 1, change))), g=rng.integers(0, 900, rows))


@pytest.mark.parametrize("group", ["", "g"])
def test_a_planted_slice_is_found_alone(group: str) -> None:
    found = look(planted(), policy(group=group), support=100)
    first, *others = found.slices
    assert first.name == "a=x,b=y"
    assert first.stands_out
    assert first.guarded_p == 0.01
    assert not any(one.stands_out for one in others)
    inside = planted().query("a == 'x' and b == 'y'")
    assert first.rows == len(inside)
    assert first.net_loss == pytest.approx((first.lost - first.gained) / first.rows)
    assert found.largest_z == max(one.z for one in found.slices) == first.z


@pytest.mark.parametrize("kind", ["binary", "grouped", "score"])
def test_the_order_of_rows_changes_nothing(kind: str) -> None:
    frame = planted(3000)
    chosen = policy(kind="score" if kind == "score" else "binary", group="g" * (kind == "grouped"))
    if kind == "score":
        noise = np.abs(np.random.default_rng(3).normal(0, 1, len(frame)))
        frame = frame.assign(baseline=noise * frame.baseline, candidate=noise * frame.candidate)
    first = look(frame, chosen, support=50, seed=4)
    for seed in range(3):
        shuffled = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
        assert look(shuffled, chosen, support=50, seed=4) == first
    assert first.slices


def test_a_child_that_adds_nothing_is_dropped_and_a_parent_that_a_child_explains() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({c: rng.choice(list("wxyz"), 8000) for c in COLUMNS})
    even = frame.assign(**decisions([int(a == "x" and rng.random() < 0.2) for a in frame.a]))
    assert [one.name for one in look(even, support=100).slices if one.stands_out] == ["a=x"]
    one_child = frame.assign(
        **decisions(
            list(((frame.a == "x") & (frame.b == "y") & (frame.index % 2 == 0)).astype(int))
        )
    )
    found = look(one_child, support=100)
    assert [one.name for one in found.slices] == ["a=x,b=y"]


def test_a_child_that_lost_more_than_its_parent_is_shown_after_it() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({c: rng.choice(list("wxyz"), 20_000) for c in COLUMNS})
    rate = np.where(frame.a == "x", np.where(frame.b == "y", 0.3, 0.1), 0.0)
    found = look(frame.assign(**decisions(list((rng.random(20_000) < rate).astype(int)))))
    assert [one.name for one in found.slices if one.stands_out] == ["a=x", "a=x,b=y"]


def test_a_loss_spread_evenly_over_the_table_is_no_slices() -> None:
    frame = planted(rate=0)
    lost = decisions([int(i % 10 == 0) for i in range(len(frame))])
    found = look(frame.assign(**lost), support=100)
    assert found.net_loss == pytest.approx(0.1)
    assert not any(one.stands_out for one in found.slices)


def test_two_columns_that_say_the_same_are_shown_once() -> None:
    frame = planted()
    twin = frame.assign(c=frame.a + frame.b)
    assert [one.name for one in look(twin).slices if one.stands_out] == ["c=xy"]


@pytest.mark.parametrize(
    ("declared", "left_out"),
    [
        ("{by: a}", {"a"}),
        ("{by: [b, a]}", {"a,b"}),
        ("{by: a}, {by: [a, b]}", {"a", "a,b"}),
    ],
)
def test_declared_slices_are_left_out(declared: str, left_out: set[str]) -> None:
    frame = planted()
    whole, less = (family(frame, chosen, 3, 1) for chosen in (policy(), policy(declared)))
    shown = [w for w, is_open in zip(less.wheres, less.open, strict=True) if is_open]
    keys = {",".join(where) for where in shown}
    assert keys == {"a", "b", "c", "a,b", "a,c", "b,c", "a,b,c"} - left_out
    found = look(frame, policy(declared))
    assert found.candidates == len(shown)
    assert found.declared == len(whole.wheres) - len(shown) > 0
    assert not {",".join(one.columns) for one in found.slices} & left_out


def test_what_a_declared_slice_explains_is_left_out_too() -> None:
    frame = planted()
    assert "a=x,b=y" not in {one.name for one in look(frame, policy("{by: [a, b]}")).slices}
    named = policy("{name: bad, where: {a: x, b: [y, z]}}")
    names = [one.name for one in look(frame, named).slices if one.stands_out]
    assert names == ["a=x,b=y"]
    for exact in ("{name: bad, where: {a: x, b: y}}", "{name: bad, where: {a: [x], b: [y]}}"):
        assert not any(one.stands_out for one in look(frame, policy(exact)).slices)


def test_a_named_slice_of_several_values_explains_what_holds_it() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({c: rng.choice(list("wxyz"), 12_000) for c in COLUMNS})
    hit = (frame.a == "x") & frame.b.isin(["y", "z"]) & (rng.random(len(frame)) < 0.1)
    lost = frame.assign(**decisions(list(hit.astype(int))))
    assert any(one.stands_out for one in look(lost).slices)
    named = policy("{name: bad, where: {a: x, b: [y, z]}}")
    assert not any(one.stands_out for one in look(lost, named).slices)


def test_missing_values_are_a_value_without_a_snippet() -> None:
    frame = planted()
    frame["a"] = frame["a"].where(frame["a"] != "x")
    (first, *_) = look(frame).slices
    assert (first.name, first.values, first.snippet) == ("a=missing,b=y", (None, "y"), None)
    frame["a"] = frame["a"].where(frame["a"] != "w", "missing")
    assert look(frame).slices[0].name == "a=(missing),b=y"
    empty = frame.assign(a=frame["a"].fillna(""))
    assert look(empty).slices == look(frame).slices


def test_values_are_named_as_a_policy_names_them() -> None:
    frame = planted().assign(a=lambda f: f.a.map({"w": 1.0, "x": 2.0, "y": 2.5, "z": 3.0}))
    frame["b"] = frame["b"] == "y"
    found = look(frame)
    assert found.slices[0].name == "a=2,b=true"
    assert found.slices[0].snippet is not None
    assert 'where: {a: "2", b: "true"}' in found.slices[0].snippet


def test_one_value_spelled_in_two_ways_is_refused() -> None:
    frame = planted()
    frame["a"] = np.where(frame.index % 2 == 0, "caf\u00e9", "cafe\u0301")
    with pytest.raises(TableError, match="spells one value in two ways"):
        look(frame)


def test_unreadable_rows_are_refused() -> None:
    frame = planted().assign(baseline=lambda f: f.baseline.astype(float))
    frame.loc[3, "baseline"] = np.nan
    with pytest.raises(TableError, match="1 rows without a readable"):
        look(frame)


def test_rows_without_a_group_are_refused() -> None:
    frame = planted()
    frame["g"] = frame["g"].astype(object).where(frame.index != 5)
    with pytest.raises(TableError, match="needs a group"):
        look(frame, policy(group="g"))


def test_nothing_changed_is_nothing_found() -> None:
    same = planted().assign(candidate=1, baseline=1, label=1)
    found = look(same)
    assert (found.slices, found.largest_z, found.lost) == ((), 0.0, 0)
    assert look(same, support=10_000).largest_z is None


def test_the_top_list_is_cut_and_the_seed_matters_only_for_p() -> None:
    whole = look(planted())
    assert look(planted(), top=1).slices == whole.slices[:1]
    other = look(planted(), seed=9)

    def but_p(found: Discovery) -> list[DiscoveredSlice]:
        return [replace(one, guarded_p=0.0, stands_out=False) for one in found.slices]

    assert but_p(other) == but_p(whole)


def test_signs_are_flipped_by_count_by_row_or_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = planted()
    for chosen, kind in (
        (policy(), WholeFlips),
        (policy(group="g"), UnitFlips),
        (policy(kind="score"), UnitFlips),
    ):
        table = opened(frame)
        source, _ = flips_of(chosen, table, read_cells(chosen, table, COLUMNS))
        assert isinstance(source, kind)
    monkeypatch.setattr(change_cells, "MOST_UNITS", 10)
    source, method = flips_of(chosen, table, read_cells(chosen, table, COLUMNS))
    assert isinstance(source, NormalFlips)
    assert "normal" in method
    with pytest.raises(InputError, match="name fewer columns"):
        look(frame, policy(group="g"))


def test_what_would_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conjunctions, "MOST_MEMBERSHIPS", 100)
    with pytest.raises(InputError, match="smaller depth"):
        look(planted())
    monkeypatch.setattr(change_cells, "MOST_CELLS", 63)
    with pytest.raises(InputError, match="more than 63 combinations"):
        look(planted())


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1))
def test_row_keys_are_equal_where_the_rows_are(rows: list[tuple[int, ...]]) -> None:
    codes = np.array(rows)
    for sizes in ([3] * 4, [2**21] * 4):
        keys = row_keys(codes, sizes).tolist()
        for one, other in combinations(range(len(rows)), 2):
            assert (keys[one] == keys[other]) == (rows[one] == rows[other])
