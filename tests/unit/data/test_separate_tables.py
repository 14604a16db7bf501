"""Separate tables: what is joined, what is refused, and that nothing is dropped unseen."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import prunegate
from prunegate.counting.count import open_predictions
from prunegate.errors import InputError, MissingColumnsError, TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe, threshold: 0.5}\n"
RULES = "rules: [{metric: recall, slices: all, max_drop: 0.1}]\n"
NAMES = "data: {columns: {id: image_id, baseline: score, candidate: score}}\n"


def policy(more: str = NAMES + "slices: [{by: kind}]\n") -> Policy:
    return parse_policy(HEAD + more + RULES)


def one(rows: int = 60) -> pd.DataFrame:
    """The one table that the three are parts of."""
    return pd.DataFrame(
        {
            "image_id": [f"i{i}" for i in range(rows)],
            "label": ["safe", "unsafe"] * (rows // 2),
            "score": [0.1, 0.9] * (rows // 2),
            "score (candidate)": [0.2 if i % 2 == 0 or i == 1 else 0.8 for i in range(rows)],
            "kind": [("a", "b")[i // 4 % 2] for i in range(rows)],
        }
    )


def three(table: pd.DataFrame, seed: int = 1) -> dict[str, pd.DataFrame]:
    candidate = table[["image_id", "score (candidate)"]]
    parts = {
        "labels": table[["image_id", "label", "kind"]],
        "baseline_predictions": table[["image_id", "score", "kind"]],
        "candidate_predictions": candidate.rename(columns={"score (candidate)": "score"}),
    }
    return {
        role: part.sample(frac=1, random_state=seed + place).reset_index(drop=True)
        for place, (role, part) in enumerate(parts.items())
    }


def packed(part: pd.DataFrame, path: Path, compression: str) -> None:
    with pa.output_stream(str(path), compression=compression) as file:
        file.write(part.to_csv(index=False).encode())


SPELLED: dict[str, Callable[[str], str]] = {
    "blanks around them": lambda name: f"{name} ",
    "case": str.upper,
    "leading zeros": lambda name: f"00{name}",
    "the folder before them": lambda name: f"a/b/{name}",
    "folder and ending": lambda name: f"a/{name}.jpg",
}


@pytest.mark.parametrize("differ", SPELLED)
def test_ids_that_are_spelled_otherwise_in_one_file_are_told_so(differ: str) -> None:
    parts = three(one())
    candidate = parts["candidate_predictions"]
    candidate["image_id"] = candidate["image_id"].map(SPELLED[differ])
    message = refused(parts)
    assert message.count(f"; 60 differ in {differ} only ('i0' and {SPELLED[differ]('i0')!r})") == 2
    parts["candidate_predictions"]["image_id"] = [f"x{i}" for i in range(60)]
    assert "spell ids alike" not in refused(parts)


def lines(part: pd.DataFrame) -> str:
    return "".join(json.dumps(row) + "\n" for row in part.to_dict("records"))


WRITERS: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "csv": lambda part, path: part.to_csv(path, index=False),
    "tsv": lambda part, path: part.to_csv(path, index=False, sep="\t"),
    "csv.gz": lambda part, path: packed(part, path, "gzip"),
    "csv.zst": lambda part, path: packed(part, path, "zstd"),
    "jsonl": lambda part, path: path.write_text(lines(part)),
    "jsonl.gz": lambda part, path: path.write_bytes(gzip.compress(lines(part).encode())),
    "parquet": lambda part, path: part.to_parquet(path),
    "feather": pyarrow.feather.write_feather,
}


@pytest.mark.parametrize(
    "kinds",
    [
        ("csv.gz", "jsonl", "parquet"),
        ("parquet", "csv", "feather"),
        ("feather", "csv.zst", "jsonl.gz"),
        ("jsonl", "parquet", "tsv"),
    ],
)
def test_three_files_of_any_kind_and_order_are_one_table(
    kinds: tuple[str, ...], tmp_path: Path
) -> None:
    files = {}
    for kind, (role, part) in zip(kinds, three(one()).items(), strict=True):
        files[role] = tmp_path / f"{role}.{kind}"
        WRITERS[kind](part, files[role])
    found = open_predictions(policy(), files, with_ids=True)
    assert {path.name for path in found.files} == {path.name for path in files.values()}
    assert found.roles == tuple(files)
    assert prunegate.judge(policy(), files) == prunegate.judge(policy(), one())


def test_frames_of_any_library_are_joined_too() -> None:
    parts = three(one())
    frames = {
        "labels": pl.from_pandas(parts["labels"]),
        "baseline_predictions": parts["baseline_predictions"].set_index("image_id"),
        "candidate_predictions": duckdb.connect().from_arrow(
            pa.Table.from_pandas(parts["candidate_predictions"])
        ),
    }
    assert prunegate.judge(policy(), frames) == prunegate.judge(policy(), one())


def test_two_files_where_the_baseline_is_beside_the_labels() -> None:
    table = one().rename(columns={"image_id": "id", "score": "baseline"})
    candidate = table[["id", "score (candidate)"]].rename(
        columns={"score (candidate)": "candidate"}
    )
    plain = policy("slices: [{by: kind}]\n")
    files = {"labels": table, "candidate_predictions": candidate.iloc[::-1]}
    whole = table.rename(columns={"score (candidate)": "candidate"})
    assert prunegate.judge(plain, files) == prunegate.judge(plain, whole)


def refused(files: dict[str, Any], by: Policy | None = None) -> str:
    with pytest.raises(TableError) as error:
        prunegate.judge(by or policy(), files)
    return str(error.value)


def broken(parts: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """With an id twice, ids in one only, none, a column that disagrees, and another label."""
    labels = parts["labels"]
    known = labels.set_index("image_id")["label"]
    labels = pd.concat([labels, labels[labels["image_id"] == "i7"]])
    candidate = parts["candidate_predictions"]
    candidate = candidate[~candidate["image_id"].isin([f"i{n}" for n in range(20, 25)])]
    candidate = candidate.assign(label=candidate["image_id"].map({**known, "i5": "safe"}))
    more = pd.DataFrame({"image_id": ["new", None, None, "i1"], "score": 0.5})
    candidate = pd.concat([candidate, more])
    baseline = parts["baseline_predictions"].copy()
    baseline.loc[baseline["image_id"] == "i3", "kind"] = "c"
    return {
        "labels": labels,
        "baseline_predictions": baseline,
        "candidate_predictions": candidate,
    }


def test_everything_that_keeps_the_files_apart_is_said_at_once() -> None:
    message = refused(broken(three(one())))
    for said in (
        "(labels): 1 row with an id that another row has already: 'i7'",
        "(candidate predictions): 2 rows without an id",
        "(candidate predictions): 1 row with an id that another row has already: 'i1'\n",
        "5 ids are in DataFrame (labels) and not in DataFrame (candidate predictions): 'i20', ",
        "1 id is in DataFrame (candidate predictions) and not in DataFrame (labels): 'new'",
        "column 'kind': DataFrame (labels) and DataFrame (baseline predictions) disagree on 1 ",
        "1 row: id 'i3' (of the first: 'a', 'c')",
        "disagree on 1 row: id 'i5'; if it means something else in DataFrame (candidate predi",
        "nothing was judged",
    ):
        assert said in message.replace("pandas ", "")


def test_ids_of_other_types_match_by_what_they_spell() -> None:
    table = one().assign(image_id=range(60))
    parts = three(table)
    parts["labels"]["image_id"] = parts["labels"]["image_id"].astype(str)
    parts["baseline_predictions"]["image_id"] = parts["baseline_predictions"]["image_id"] * 1.0
    assert prunegate.judge(policy(), parts) == prunegate.judge(policy(), table)
    parts["labels"]["image_id"] = "r" + parts["labels"]["image_id"]
    message = refused(parts)
    assert "60 ids are in pandas DataFrame (labels) and not in" in message


def test_a_shared_column_agrees_however_the_files_spell_it(tmp_path: Path) -> None:
    table = one().assign(kind=[bool(i // 4 % 2) for i in range(60)])
    parts = three(table)
    parts["labels"].to_csv(tmp_path / "l.csv", index=False)  # True
    parts["baseline_predictions"].to_parquet(tmp_path / "b.parquet")
    files = {**parts, "labels": tmp_path / "l.csv", "baseline_predictions": tmp_path / "b.parquet"}
    assert prunegate.judge(policy(), files) == prunegate.judge(policy(), table)


@pytest.mark.parametrize(
    ("truth", "again"),
    [
        ([0, 1] * 30, [False, True] * 30),
        ([0, 1] * 30, ["0.0", "1.0"] * 30),
        (["safe", "unsafe"] * 30, [None, "unsafe"] * 30),
        (["safe", "unsafe"] * 30, [""] * 60),
    ],
)
def test_a_model_s_file_may_say_the_label_again_in_its_own_spelling(
    truth: list[Any], again: list[Any], tmp_path: Path
) -> None:
    table = one().assign(label=truth)
    parts = three(table)
    told = dict(zip(table["image_id"], again, strict=True))
    answers = parts["candidate_predictions"]
    answers = answers.assign(label=answers["image_id"].map(told))
    answers.to_csv(tmp_path / "c.csv", index=False)
    by = policy()
    if truth[0] == 0:
        by = parse_policy((HEAD + NAMES + RULES).replace("unsafe", "1"))
    expected = prunegate.judge(by, parts)
    for source in (answers, tmp_path / "c.csv"):
        assert prunegate.judge(by, {**parts, "candidate_predictions": source}) == expected


def test_a_model_s_column_may_be_called_as_the_label_is() -> None:
    parts = three(one())
    answers = parts["candidate_predictions"].rename(columns={"score": "label"})
    by = policy("slices: [{by: kind}]\n" + NAMES.replace("candidate: score", "candidate: label"))
    found = prunegate.judge(by, {**parts, "candidate_predictions": answers})
    expected = prunegate.judge(policy("slices: [{by: kind}]\n" + NAMES), parts)
    assert found.findings == expected.findings


def test_missing_columns_of_all_files_are_named_together() -> None:
    parts = three(one())
    del parts["labels"]["label"], parts["candidate_predictions"]["score"]
    with pytest.raises(MissingColumnsError) as error:
        prunegate.judge(policy("slices: [{by: nowhere}]\n" + NAMES), parts)
    assert "(labels): missing column:\n  'label'" in str(error.value)
    assert "(candidate predictions): missing column:\n  'score'" in str(error.value)
    message = refused(three(one()), policy(NAMES + "slices: [{by: nowhere}]\n"))
    assert "none of the files has the column 'nowhere'" in message


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (("labels",), "the candidate's answers are missing"),
        (("candidate_predictions",), "labels and the baseline's answers are missing"),
        (("labels", "predictions", "candidate_predictions"), "--predictions holds the answers of"),
        (("labels", "answers"), "'answers' is no table of predictions"),
    ],
)
def test_files_that_no_table_follows_from(roles: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        prunegate.judge(policy(), dict.fromkeys(roles, one()))


def test_one_file_needs_two_columns_for_two_models() -> None:
    with pytest.raises(MissingColumnsError, match=r"score \(candidate\)"):
        prunegate.judge(policy(), one().drop(columns="score (candidate)"))


keys = st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=5)


@given(first=keys, second=keys, third=keys)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_join_is_judged_exactly_where_all_tables_have_the_same_ids_once(
    first: list[str], second: list[str], third: list[str]
) -> None:
    def frame(ids: list[str], **columns: Any) -> pa.Table:
        table = {"image_id": pa.array(ids, pa.string())}
        return pa.table(table | {k: [v] * len(ids) for k, v in columns.items()})

    files = {
        "labels": frame(first, label="unsafe", kind="a"),
        "baseline_predictions": frame(second, score=0.9),
        "candidate_predictions": frame(third, score=0.8),
    }
    sound = None not in first and len(set(first)) == len(first)
    sound = sound and all(sorted(map(str, ids)) == sorted(first) for ids in (second, third))
    if sound:
        assert prunegate.judge(policy(), files).slices[0].rows == len(first)
    else:
        refused(files)


def test_the_engine_reaches_no_file_but_those_of_the_tables(tmp_path: Path) -> None:
    files = {}
    for role, part in three(one()).items():
        files[role] = tmp_path / f"{role}.parquet"
        part.to_parquet(files[role])
    one().to_parquet(tmp_path / "other.parquet")
    engine: Any = open_predictions(policy(), files).engine
    with pytest.raises(duckdb.PermissionException):
        engine.connection.execute(f"FROM '{tmp_path / 'other.parquet'}'")
