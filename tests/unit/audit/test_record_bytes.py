"""A record's bytes: one form, read back whole, and any change is noticed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.audit.canonical import canonical_bytes, digest
from prunegate.audit.opinion.agreement import SecondOpinion
from prunegate.audit.opinion.process import Awaited
from prunegate.audit.read import parse_record, read_bytes, read_record
from prunegate.audit.record import DecisionRecord
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.errors import EvidenceError, InputError, InternalError
from prunegate.gate import gate
from prunegate.policy.load import read_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict
from prunegate.verdict.waiver import Waiver

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [a, gone]}]
model: {baseline: /home/kim/base, candidate: {onnx: "C:\\\\Users\\\\kim\\\\made.onnx"}}
data: {table: /tmp/kim/rows.csv, images: ../kim/pictures}
rules:
  - {metric: recall, slices: all, max_drop: 0.02}
  - {metric: cost_per_1k, max_ratio: 0.9}
cost: {billing: {per_inference: {baseline: 0.004}}, volumes: {now: 9, target: 99, months: 3}}
"""
MEASURED = Measurements(
    created="2026-01-01T00:00:00Z",
    engine="torch",
    batch=1,
    threads=1,
    rounds=9,
    baseline=ModelFigures(latency_p50_ms=10.0, model_bytes=1000),
    candidate=ModelFigures(latency_p50_ms=8.0, model_bytes=800),
    cpu_ratio=Estimate95(value=0.8, low=0.75, high=0.85),
)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> DecisionRecord:
    folder = tmp_path_factory.mktemp("record")
    (folder / "p.yaml").write_text(POLICY, encoding="utf-8")
    rows = {
        "id": ["one", "two \u202e", "three", "four"],
        "label": ["unsafe", "unsafe", "safe", "safe"],
        "baseline": [0.9, 0.8, 0.1, 0.2],
        "candidate": [0.9, 0.3, 0.1, 0.6],
        "kind": ["a", "a", "b=\u00e9", "b=\u00e9"],
    }
    pd.DataFrame(rows).to_csv(folder / "t.csv", index=False)
    source = read_policy(folder / "p.yaml")

    def agrees(_policy: Policy, verdict: Verdict, _waivers: Sequence[Waiver] = ()) -> Awaited:
        """What the second opinion says, without its engine."""
        found = len(verdict.findings)
        return lambda **_: SecondOpinion(engine="an engine 1.0", expectations=3, findings=found)

    return gate(source, folder / "t.csv", measurements=MEASURED, ask=agrees).record


@pytest.fixture
def stored(record: DecisionRecord, tmp_path: Path) -> Path:
    path = tmp_path / "record.json"
    path.write_bytes(canonical_bytes(record))
    return path


@pytest.mark.slow
def test_a_record_reads_back_as_it_was(record: DecisionRecord, stored: Path) -> None:
    found, named = read_record(stored)
    assert found == record
    assert named == digest(record) == hashlib.sha256(stored.read_bytes()).hexdigest()
    assert canonical_bytes(found) == stored.read_bytes()


@pytest.mark.parametrize(("name", "told"), [("t.csv", "a table"), ("p.yaml", "a policy")])
def test_a_file_of_another_kind_is_told_as_such(tmp_path: Path, name: str, told: str) -> None:
    path = tmp_path / name
    path.write_text(POLICY if name == "p.yaml" else "id,label\n1,a\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"is {told}; give the record.json of a verdict"):
        read_record(path)


def test_a_path_that_the_system_does_not_open_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_bytes(tmp_path / ("r" * 300), "a record.json")


@pytest.mark.slow
def test_a_record_says_what_was_judged_and_holds_no_path(
    record: DecisionRecord, stored: Path, tmp_path: Path
) -> None:
    text = stored.read_text(encoding="utf-8")
    assert str(tmp_path.parent.parent) not in text
    assert not [part for part in ("/home/", "/root/", "/tmp/", "\\\\Users", "kim") if part in text]  # noqa: S108  # looked for, not used
    assert [i.name for i in record.inputs] == ["t.csv"]
    assert {flip.id for flip in record.flips} == {"two \u202e", "four"}
    assert record.policy.sha256 == hashlib.sha256(POLICY.encode()).hexdigest()
    assert record.exit_code == 4


@pytest.mark.slow
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255))
@settings(max_examples=times(24, thorough=120))
def test_one_changed_byte_is_refused(record: DecisionRecord, place: int, flip: int) -> None:
    content = bytearray(canonical_bytes(record))
    content[place % len(content)] ^= flip
    _refuse_or_differ(bytes(content), digest(record))


def _refuse_or_differ(content: bytes, original: str) -> None:
    """A change inside a text can still be a well-formed record, but never the one it was."""
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(content)
        file.flush()
        try:
            _, named = read_record(Path(file.name))
        except (InputError, EvidenceError):
            return
        assert named == hashlib.sha256(content).hexdigest() != original


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("findings"), "not a whole record"),
        (lambda d: d.update(extra=1), "does not know"),
        (lambda d: d.update(format="urn:prunegate:record:v2"), "not a record of this version"),
        (lambda d: d.update(outcome="maybe"), "not a whole record"),
        (lambda d: d["findings"][0].update(extra=1), "does not know"),
        (lambda d: d.update(seed="7"), "does not know"),
    ],
)
def test_what_is_no_record_is_refused(stored: Path, change: Any, words: str) -> None:
    document = json.loads(stored.read_bytes())
    change(document)
    stored.write_bytes(canonical_bytes(document))
    with pytest.raises(InputError, match=words):
        read_record(stored)


@pytest.mark.slow
def test_a_field_that_came_later_may_be_missing(record: DecisionRecord, stored: Path) -> None:
    document = json.loads(stored.read_bytes())
    del document["discoveries"]
    stored.write_bytes(canonical_bytes(document))
    assert read_record(stored)[0] == record


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"a":NaN}', b'{"format":1,"format":2}', b"\xff\xfe", b"[" * 100_000],
)
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r").write_bytes(content)
    with pytest.raises(InputError):
        read_record(tmp_path / "r")
    with pytest.raises(InputError, match="not a record file"):
        read_record(tmp_path / "none")


def test_spaces_that_change_nothing_change_the_digest(stored: Path) -> None:
    stored.write_text(json.dumps(json.loads(stored.read_bytes()), indent=1), encoding="utf-8")
    with pytest.raises(EvidenceError, match="not canonical"):
        read_record(stored)


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: b"\xef\xbb\xbf" + whole,
        lambda whole: whole + b"\r\n",
        lambda whole: whole + b"{}",
        lambda whole: whole[:-1],
        lambda whole: whole.replace(b'"exit_code":', b'"exit_code":1e999,"exit_code":', 1),
        lambda whole: b'{"a":1e999,' + whole[1:],
        lambda whole: b'{"a":NaN,' + whole[1:],
    ],
)
def test_a_record_in_other_bytes_is_evidence_that_does_not_verify(
    stored: Path, change: Any
) -> None:
    stored.write_bytes(change(stored.read_bytes()))
    with pytest.raises(EvidenceError, match="judge again"):
        read_record(stored)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x", 1 << 60, "\ud800"])
def test_what_json_cannot_hold_has_no_bytes(value: Any) -> None:
    with pytest.raises(InternalError, match="no canonical JSON form"):
        canonical_bytes({"a": value})


def test_the_bytes_do_not_hang_on_the_order_of_keys() -> None:
    assert canonical_bytes({"b": 1.0, "a": [True, None]}) == b'{"a":[true,null],"b":1}'


def test_fields_of_a_finding_are_the_records_names(record: DecisionRecord) -> None:
    document = json.loads(canonical_bytes(record))
    first, fields = record.findings[0], dataclasses.fields(record.findings[0])
    left_out = {f.name for f in fields if f.metadata and getattr(first, f.name) is None}
    assert left_out
    assert {f.name for f in fields} - left_out == set(document["findings"][0])
    assert parse_record(canonical_bytes(record), "r.json").record.findings == record.findings
