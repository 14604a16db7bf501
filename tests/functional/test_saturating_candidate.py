"""A candidate that computes otherwise on other processors is judged, and said to be one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from prunegate_test_tiny import edit, invoke, with_signed_weights

from prunegate.cost.processor import processor

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]
SAID = "computes otherwise on processors without VNNI: do not judge it here and deploy it there"


def judged(out: Path, *arguments: object) -> dict[str, Any]:
    result = invoke(*arguments, "--out", out, "-q")
    assert result.exception is None, result.exception
    record: dict[str, Any] = json.loads((out / "record.json").read_text())
    return record


def test_it_is_noticed_and_what_it_changes_is_counted(home: Path) -> None:
    pytest.importorskip("onnx")
    steps = "compress:\n  - quantize: {to: int8}\n"
    policy = home / "policy.yaml"
    policy.write_text(policy.read_text().partition("compress:")[0] + steps)
    assert invoke("compress", policy, "-o", "candidate", "-q").return_value == 0
    ours, manifest = home / "candidate/model.onnx", home / "candidate/surgery.json"
    before = hashlib.sha256(ours.read_bytes()).hexdigest()
    edit(policy, steps, "")
    edit(policy, "{baseline: baseline}", "{baseline: baseline, candidate: candidate}")
    clean = judged(home / "clean", "run", policy)
    assert clean["candidate"]["saturating"] is None
    assert not [told for told in clean["warnings"] if SAID in told]

    ours.write_bytes(with_signed_weights(ours.read_bytes()))
    edit(manifest, before, hashlib.sha256(ours.read_bytes()).hexdigest())
    record = judged(home / "signed", "run", policy)
    found = record["candidate"]["saturating"]
    sets = processor().instruction_sets or ()
    here = "AVX2" in sets and not {"AVX-512 VNNI", "AVX-VNNI"} & set(sets)
    # Twelve linear layers in two blocks, and the head.
    assert (found["products"], found["saturating"], found["here"]) == (13, 13, here)
    assert (found["rows"], found["changed"] is None) == ((60, False) if here else (None, True))
    (told,) = [told for told in record["warnings"] if SAID in told]
    assert f"{found['saturating']} of its 13 eight-bit products" in told
    assert SAID in (home / "signed/report.html").read_text()
    assert record["environment"] == {
        **processor().facts(),
        **{f"predictions_{key}": value for key, value in processor().facts().items()},
    }

    # A year later, from the predictions alone.
    again = judged(
        home / "gated", "gate", policy, "--predictions", home / "signed/predictions.parquet"
    )
    assert told in again["warnings"]
    assert again["environment"] == record["environment"]
