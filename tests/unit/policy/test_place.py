"""Places of a policy: read as written on the machine, told outside it without where they lie."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.policy.diff import diff
from prunegate.policy.place import ELSEWHERE, public_place
from prunegate.policy.rules_digest import rules_digest
from prunegate.policy.schema import Policy
from prunegate.policy.validation import validate_values

NAMES = st.text("abAZ09 ._-é", min_size=1, max_size=9).filter(lambda name: name.strip(". "))
ROOTS = ["/", "//", "~/", "~kim/", "../", "../../", "a/../../", "C:\\", "C:/", "\\\\host\\"]
STORES = ["s3://kim:s3cret@store/", "hdfs://host:9000/", "file:///"]


@given(folders=st.lists(NAMES, max_size=3), name=NAMES)
def test_a_place_inside_keeps_its_name(folders: list[str], name: str) -> None:
    place = "/".join([*folders, name])
    assert public_place(place) == place
    assert public_place(f"./x/../{place}") == f"./x/../{place}"


@given(root=st.sampled_from(ROOTS + STORES), folders=st.lists(NAMES, max_size=3), name=NAMES)
def test_of_any_other_place_the_last_name_is_told(root: str, folders: list[str], name: str) -> None:
    hidden = [f"sk-{number}-{folder}" for number, folder in enumerate(folders)]
    told = public_place(root + "/".join([*hidden, name]))
    assert told == f"{ELSEWHERE}/{name}"
    assert public_place(told) == told


@pytest.mark.parametrize("place", ["/", "..", "../..", "~kim", "C:\\", "s3://bucket", "a/../.."])
def test_a_root_has_no_name(place: str) -> None:
    assert public_place(place) == ELSEWHERE


def test_what_a_store_is_asked_with_is_not_told() -> None:
    assert public_place("https://host/a/rows.csv?token=s3cret") == f"{ELSEWHERE}/rows.csv"


def written(root: str) -> dict[str, Any]:
    """A policy with every place that there is."""
    return {
        "prunegate": 1,
        "name": "p",
        "task": {"kind": "language"},
        "rules": [{"metric": "mean_quality", "max_drop": 0.1}],
        "model": {
            "baseline": f"{root}/base",
            "candidate": {"onnx": f"{root}/made.onnx"},
            "initial": f"{root}/initial",
            "early": f"{root}/early",
        },
        "data": {"table": f"{root}/rows.csv", "images": f"{root}/pictures"},
        "quality": {"scorer": f"{root}/judge"},
        "claims": {"file": f"{root}/claims.yaml"},
    }


def test_what_leaves_the_machine_holds_no_place_of_it_and_is_a_policy_all_the_same() -> None:
    policy = Policy.model_validate(written("/home/kim/sk-s3cret"))
    document = policy.document()
    assert "kim" not in json.dumps(document)
    assert "s3cret" not in json.dumps(document)
    again, mistakes = validate_values(document)
    assert mistakes == []
    assert again is not None
    assert again.document() == document
    assert rules_digest(again) == rules_digest(policy)
    for key in ("folder", "onnx"):
        source = {**written(""), "model": {"baseline": {key: "/home/kim/base"}}}
        assert "kim" not in json.dumps(Policy.model_validate(source).document())


def test_the_policy_itself_is_read_where_its_files_lie() -> None:
    root = "/home/kim"
    policy = Policy.model_validate(written(root))
    assert policy.model_dump(mode="json", exclude_unset=True) == written(root)
    moved = Policy.model_validate(written("/home/ann"))
    assert policy.document() == moved.document()
    assert {change.where for change in diff(policy, moved)} >= {
        "model.baseline", "model.candidate.onnx", "data.table", "quality.scorer"
    }  # fmt: skip
