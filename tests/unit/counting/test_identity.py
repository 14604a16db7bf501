"""What a gate set and a model's answers are called: by content, not by how a table is written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather
from tests.depth import times

from prunegate.counting.count import open_predictions
from prunegate.counting.gate_set import Identity, identity_of, read_gate_set
from prunegate.counting.partial_counting import open_unlabelled
from prunegate.data.predictions import coded_texts, column_digests
from prunegate.errors import TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy


def policy(more: str = "", slices: str = "[{by: kind}]") -> Policy:
    return parse_policy(
        f"""\
prunegate: 1
name: small
task: {{kind: binary, positive: 1, threshold: 0.5}}
slices: {slices}
group: post
rules: [{{metric: recall, max_drop: 0.02}}]
{more}
"""
    )


def table(rows: int = 40, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"row-{'é' * (i % 3)}{i}" for i in range(rows)],
            "label": draw.integers(0, 2, rows),
            "baseline": draw.integers(0, 1000, rows) / 1000,
            "candidate": draw.integers(0, 1000, rows) / 1000,
            "kind": draw.choice(["video", "dïsplay", "ugc"], rows),
            "post": draw.integers(0, 9, rows),
        }
    )


def identity(source: object, rules: Policy | None = None) -> Identity:
    chosen = rules or policy()
    found = identity_of(chosen, open_predictions(chosen, source, with_ids=True))
    assert found is not None
    return found


WHOLE = table()
SAME = identity(WHOLE)


@pytest.mark.slow
@settings(max_examples=times(8, thorough=15), deadline=None)
@given(st.permutations(list(range(len(WHOLE)))))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    assert identity(WHOLE.iloc[order]) == SAME


@pytest.mark.slow
def test_format_files_and_frames_do_not_matter(tmp_path: Path) -> None:
    arrow = pa.Table.from_pandas(WHOLE, preserve_index=False)
    WHOLE.to_csv(tmp_path / "t.csv", index=False)
    pq.write_table(arrow, tmp_path / "renamed.parquet", row_group_size=7)
    feather.write_feather(arrow, str(tmp_path / "t.arrow"), compression="uncompressed")
    for place, part in enumerate(np.array_split(np.arange(len(WHOLE)), 3)):
        WHOLE.iloc[part[::-1]].to_csv(tmp_path / f"part-{place}.csv", index=False)
    for name in ("t.csv", "renamed.parquet", "t.arrow", "part-*.csv"):
        assert identity(str(tmp_path / name)) == SAME, name
    assert identity(pl.from_pandas(WHOLE)) == SAME
    assert identity(arrow) == SAME
    other_types = WHOLE.astype({"label": float, "post": str})
    assert identity(other_types) == SAME
    assert identity(WHOLE.assign(label=WHOLE["label"] == 1)) == SAME


def test_names_that_are_mapped_do_not_matter() -> None:
    names = {"id": "image", "label": "truth", "baseline": "before", "candidate": "after"}
    mapped = policy(f"data: {{columns: {{{', '.join(f'{k}: {v}' for k, v in names.items())}}}}}")
    assert identity(WHOLE.rename(columns=names), mapped) == SAME


def test_unicode_is_compared_in_nfc() -> None:
    decomposed = WHOLE.assign(
        kind=WHOLE["kind"].str.normalize("NFD"), id=WHOLE["id"].str.normalize("NFD")
    )
    assert identity(decomposed) == SAME


@pytest.mark.slow
@settings(max_examples=times(12, thorough=25), deadline=None)
@given(
    place=st.integers(0, len(WHOLE) - 1),
    column=st.sampled_from(["id", "label", "baseline", "candidate", "kind", "post"]),
)
def test_one_other_value_is_another(place: int, column: str) -> None:
    changed = WHOLE.astype({"post": str}).copy()
    old = changed.loc[place, column]
    new = {"id": "other", "label": 1 - old if column == "label" else 0, "kind": "new", "post": "x"}
    changed.loc[place, column] = new.get(column, 0.12345)
    found, whole = identity(changed), asdict(SAME)
    differs = {name for name, value in asdict(found).items() if value != whole[name]}
    sets = {name for name, v in asdict(found.gate_set).items() if v != whole["gate_set"][name]}
    assert (differs, sets) == {
        "id": ({"gate_set", "baseline", "candidate"}, {"name", "contents", "ids"}),
        "label": ({"gate_set"}, {"name", "contents"}),
        "kind": ({"gate_set"}, {"contents"}),
        "post": ({"gate_set"}, {"contents"}),
        "baseline": ({"baseline"}, set()),
        "candidate": ({"candidate"}, set()),
    }[column]


def test_a_row_more_or_less_or_two_that_swap_labels_are_another() -> None:
    swapped = WHOLE.copy()
    one, other = (int(np.flatnonzero(WHOLE["label"] == value)[0]) for value in (0, 1))
    swapped.loc[[one, other], "label"] = [1, 0]
    names = {identity(t).gate_set.name for t in (WHOLE, WHOLE.iloc[1:], table(41), swapped)}
    assert len(names) == 4


def test_texts_cannot_move_from_one_row_to_the_next() -> None:
    one = WHOLE.assign(id=[*WHOLE["id"][2:], "ab", "c"])
    other = WHOLE.assign(id=[*WHOLE["id"][2:], "a", "bc"])
    assert identity(one).gate_set.name != identity(other).gate_set.name


def test_slicing_by_another_column_is_no_fresh_gate_set() -> None:
    found = identity(WHOLE, policy(slices="[]")).gate_set
    assert found.name == SAME.gate_set.name
    assert found.contents != SAME.gate_set.contents


def test_a_gate_set_is_read_without_scores() -> None:
    labelled = WHOLE.drop(columns=["baseline", "candidate"])
    assert read_gate_set(policy(), labelled) == SAME.gate_set
    assert read_gate_set(policy(), WHOLE.assign(candidate="not a score")) == SAME.gate_set


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": [None, *WHOLE["label"][1:]]}, "1 rows lack a value"),
        ({"id": ["row-3", *WHOLE["id"][1:]]}, "row-3"),
        ({"label": "yes"}, "positive label 1"),
        ({"kind": ["", *WHOLE["kind"][1:]]}, "1 rows lack a value"),
    ],
)
def test_a_gate_set_that_could_not_be_judged_is_refused(
    change: dict[str, object], words: str
) -> None:
    changed = WHOLE.assign(id=[f"row-{i}" for i in range(len(WHOLE))])
    with pytest.raises(TableError, match=words):
        read_gate_set(policy(), changed.assign(**change))


@pytest.mark.slow
def test_a_large_table_in_shares_and_ids_whose_numbers_meet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def digests(source: pd.DataFrame) -> Identity:
        return identity(source)

    backwards, whole = WHOLE.iloc[::-1], digests(WHOLE)
    monkeypatch.setattr(column_digests, "_ROWS", 3)  # what is in memory decides no digest
    monkeypatch.setattr(column_digests, "_COLUMNS", 2)
    for held in (1 << 30, 1000, 0):  # read once, more than once, once for each stretch
        monkeypatch.setattr(column_digests, "_HELD", held)
        assert digests(backwards) == whole
    monkeypatch.setattr(coded_texts, "_SAMPLE", 1)
    assert digests(backwards) == whole
    defaults = {"rows_at_once": 10}
    monkeypatch.setattr(column_digests.column_digests, "__kwdefaults__", defaults)
    assert digests(WHOLE) == digests(backwards)
    assert digests(WHOLE).ids_differ
    monkeypatch.setattr(column_digests, "id_numbers", lambda ends, _: np.zeros(len(ends) - 1, "u8"))
    assert digests(WHOLE) == digests(backwards)
    assert not digests(WHOLE).ids_differ  # nobody looked at the ids themselves


@given(st.lists(st.text("aé0", max_size=9), min_size=1, max_size=12))
@settings(max_examples=times(15, thorough=60), deadline=None)
def test_ids_that_are_known_to_differ_do(ids: list[str]) -> None:
    found = identity(table(len(ids)).assign(id=ids))
    assert found.ids_differ == (len(set(ids)) == len(ids))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["score", "language"])
def test_tasks_without_labels_have_a_name_too(kind: str) -> None:
    rules = parse_policy(
        "prunegate: 1\nname: x\n"
        + {
            "score": "task: {kind: score}\nrules: [{metric: mean_score, max_drop: 0.1}]\n",
            "language": "task: {kind: language}\nrules: [{metric: perplexity, max_ratio: 1.1}]\n",
        }[kind]
    )
    source = WHOLE.assign(tokens=range(1, len(WHOLE) + 1))
    found = identity(source, rules)
    assert found.gate_set.name == found.gate_set.contents
    assert identity(source.iloc[::-1], rules) == found
    if kind == "language":
        assert identity(source.assign(tokens=1), rules).gate_set != found.gate_set


@pytest.mark.parametrize("form", ["csv", "parquet", "frame"])
def test_ignored_rows_have_a_part_in_the_name_that_partial_labels_share(
    form: str, tmp_path: Path
) -> None:
    rules = parse_policy(
        "prunegate: 1\nname: small\n"
        "task: {kind: binary, positive: bad, threshold: 0.5, ignore: [unsure]}\n"
        "slices: [{by: kind}]\nrules: [{metric: recall, max_drop: 0.02}]\n"
    )
    full = table().assign(label=lambda rows: np.where(rows["label"] == 1, "bad", "good"))
    bare = full.drop(columns="label")
    full.loc[[0, 7, 30], "label"] = "unsure"
    unread = full.assign(baseline=full["baseline"].mask(full["label"] == "unsure"))

    def written(rows: pd.DataFrame, name: str) -> object:
        path = tmp_path / f"{name}.{form}"
        if form == "frame":
            return rows
        rows.to_csv(path, index=False) if form == "csv" else rows.to_parquet(path)
        return path

    before = identity_of(rules, open_unlabelled(rules, written(bare, "bare")), labels=False)
    after, without = identity(written(full, "full"), rules), identity(full.drop([0, 7, 30]), rules)
    assert before is not None
    assert after.gate_set.ids == before.gate_set.ids == before.gate_set.name
    assert set(after.candidates) & set(before.candidates)
    assert set(after.baselines) & set(before.baselines)
    assert after.gate_set.name == without.gate_set.name
    assert after.gate_set.ids != without.gate_set.ids
    assert identity(written(unread, "unread"), rules).gate_set == after.gate_set
