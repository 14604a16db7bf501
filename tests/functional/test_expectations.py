"""The user's expectations, wherever the contract is judged: before a verdict, kept as evidence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

import prunegate
from prunegate.audit.assemble import Origin
from prunegate.data.labelled.labelled_expectations import judge_labelled
from prunegate.errors import ContractError, TableError, UnsupportedError
from prunegate.gate import gate, publish
from prunegate.outputs.staging import staged
from prunegate.policy.load import PolicyFile, read_policy

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: small
task: {{kind: binary, positive: 1}}
data:
  expect:
    - expect_column_values_to_be_between: {{column: width, min_value: 1, mostly: {mostly}}}
rules: [{{metric: recall, max_drop: 0.02}}]
"""


def source(folder: Path, mostly: float) -> PolicyFile:
    path = folder / "p.yaml"
    path.write_text(POLICY.format(mostly=mostly))
    rows = "".join(f"{i},{i % 2},{i % 2},{i % 2},{i // 4}\n" for i in range(400))
    (folder / "t.csv").write_text("id,label,baseline,candidate,width\n" + rows)
    return read_policy(path)


def test_what_is_not_met_is_refused_before_anything_is_judged(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as found:
        gate(source(tmp_path, 0.995), tmp_path / "t.csv")
    assert "rows that break expect_column_values_to_be_between of 'width': 4 (" in str(found.value)
    assert "expected at most 0.5 % of 400 rows" in str(found.value)


def test_python_holds_rows_to_them_too_and_refuses_counts(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    with pytest.raises(ContractError, match="expected at most 0"):
        prunegate.judge(source(tmp_path, 0.995).policy, table)
    met = source(tmp_path, 0.99).policy
    found = gate(source(tmp_path, 0.99), table).verdict
    assert prunegate.judge(met, table).outcome == found.outcome
    counts = pd.DataFrame({"label": [1, 0], "baseline": [1, 0], "candidate": [1, 0], "n": [9, 9]})
    with pytest.raises(UnsupportedError, match="judged on rows"):
        prunegate.judge_counts(met, counts)


def test_what_is_met_is_kept_as_evidence_that_the_record_names(tmp_path: Path) -> None:
    decision = gate(source(tmp_path, 0.99), tmp_path / "t.csv")
    with staged(tmp_path / "out", tmp_path, force=False) as staging:
        folder = publish(decision, staging, tmp_path / "audit")
    content = (folder / "expectations.json").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    told = json.loads(content)
    assert told["holds"] is True
    assert told["expectations"][0]["unexpected"] == 4
    record = json.loads((folder / "record.json").read_text())
    assert record["expectations"]["sha256"] == digest
    assert (tmp_path / "audit" / "evidence" / digest).read_bytes() == content
    (entry,) = (tmp_path / "audit" / "pending").iterdir()
    assert entry.is_file()


def test_labelled_data_that_met_them_are_not_asked_again_of_the_predictions(
    tmp_path: Path,
) -> None:
    given = source(tmp_path, 0.99)
    data = given.policy.data.model_copy(update={"table": "t.csv"})
    met = judge_labelled(given.policy.model_copy(update={"data": data}), tmp_path)
    assert [(one.holds, one.unexpected) for one in met.expectations] == [(True, 4)]
    lines = (tmp_path / "t.csv").read_text().splitlines()
    narrow = tmp_path / "narrow.csv"  # as 'run' makes it: without the column
    narrow.write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    found = gate(given, narrow, origin=Origin(expected=met))
    assert found.record.expectations is not None
    assert found.record.expectations.rows == 400
    with pytest.raises(TableError, match="width"):
        gate(given, narrow)
