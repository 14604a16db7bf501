"""One list that was drawn and labelled, for the tests that only read it."""

from __future__ import annotations

import pytest
from tests.functional.label_and_gate.lists import POLICY, DrawnList, bare, drawn_rows, fill, label

from prunegate.policy.load import read_policy


@pytest.fixture(name="source")
def _source(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return read_policy(path)


@pytest.fixture(name="drawn_list", scope="session")
def _drawn_list(tmp_path_factory):
    folder = tmp_path_factory.mktemp("label")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    policy = read_policy(folder / "policy.yaml").policy
    rows = drawn_rows()
    path, out = bare(folder / "bare.csv", rows), folder / "list"
    drawn = label(policy, path, out)
    labels = fill(out, rows)
    return DrawnList(rows=rows, path=path, out=out, drawn=drawn, policy=policy, labels=labels)
