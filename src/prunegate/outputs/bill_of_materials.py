"""Bill of materials: a candidate as CycloneDX 1.6 JSON, with what the gate measured of it.

The candidate is a ``machine-learning-model`` whose model card holds a performance metric for each
metric and slice; the baseline is its ancestor; its files are listed with their hashes where the
folder is at hand. A change has a metric of its own, because its interval is another one than that
of the value. The same record and files give the same bytes: nothing reads a clock.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.models.digest import CARD, FileDigest
from prunegate.outputs.measured_results import Ends, MeasuredResult, measured_results
from prunegate.outputs.model_card import task_type
from prunegate.report.task import traits_of
from prunegate.text.escape import named, visible

SPEC = "1.6"
_SHORT = 12
"""Digits of a digest that stand as a version."""


def render_bill_of_materials(
    record: DecisionRecord, digest: str, files: Sequence[FileDigest] = ()
) -> str:
    """The bill as JSON text.

    Args:
        record: the decision.
        digest: sha256 of the record's canonical bytes, in hexadecimal.
        files: of the candidate's folder, whose digest was compared with the record's; may be empty.
    """
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:prunegate:record:{digest}")
    bill = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": visible(record.created),
            "tools": {"components": [_tool(record)]},
            "component": _candidate(record, digest, files),
        },
    }
    return json.dumps(bill, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _tool(record: DecisionRecord) -> dict[str, Any]:
    tool = record.tool
    return {"type": "application", "name": visible(tool.name), "version": visible(tool.version)}


def _candidate(record: DecisionRecord, digest: str, files: Sequence[FileDigest]) -> dict[str, Any]:
    found = _model(record, "candidate")
    if record.policy.purpose:
        found["description"] = visible(record.policy.purpose)
    listed = [_file(one) for one in files if one.path != CARD]
    if listed:
        found["components"] = listed
    found["pedigree"] = {"ancestors": [_model(record, "baseline")]}
    if record.compression is not None and record.compression.summary:
        found["pedigree"]["notes"] = visible(" ".join(record.compression.summary))
    found["modelCard"] = _card(record)
    found["properties"] = [*found.get("properties", ()), *_properties(record, digest)]
    return found


def _model(record: DecisionRecord, role: str) -> dict[str, Any]:
    """A model of the record, by its digest where that is known."""
    known = record.model_digest(role)
    ran = record.candidate if role == "candidate" else record.baseline
    name = f"{record.policy.name} {role}"
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"{role}-{known[:_SHORT]}" if known else role,
        "name": named(name),
    }
    if known:
        found["version"] = visible(known[:_SHORT])
    facts = [("digest", known)]
    if ran is not None:
        facts += [("parameters", str(ran.parameters)), ("model_bytes", str(ran.model_bytes))]
    told = [_property(f"{role}:{key}", value) for key, value in facts if value is not None]
    if told:
        found["properties"] = told
    return found


def _file(one: FileDigest) -> dict[str, Any]:
    return {
        "type": "file",
        "name": visible(one.path),
        "hashes": [{"alg": "SHA-256", "content": one.sha256}],
    }


def _card(record: DecisionRecord) -> dict[str, Any]:
    parameters: dict[str, Any] = {"task": task_type(record)}
    if record.candidate is not None:
        parameters["modelArchitecture"] = visible(record.candidate.architecture)
    datasets = [_dataset(one.name, one.sha256) for one in record.inputs if one.role in _DATA]
    if datasets:
        parameters["datasets"] = datasets
    found: dict[str, Any] = {"modelParameters": parameters}
    metrics = [told for one in measured_results(record) for told in _metrics(one)]
    if metrics:
        found["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    if record.known_limits:
        limits = [visible(text) for text in record.known_limits]
        found["considerations"] = {"technicalLimitations": limits}
    return found


_DATA = ("data", "predictions", "labels")
"""Roles of inputs that are data."""


def _dataset(name: str, sha256: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "dataset", "name": named(name)}
    if sha256 is not None:
        found["contents"] = {"properties": [_property("sha256", sha256)]}
    return found


def _metrics(one: MeasuredResult) -> Iterator[dict[str, Any]]:
    """The value, and the change where one was judged; what has no value is left out."""
    name = visible(one.metric)
    if one.class_label is not None:
        name = f"{name} of class {named(one.class_label)}"
    where, first = visible(one.slice), one.first
    if first.candidate is not None:
        yield _performance(name, first.candidate, where, one.value_ends)
    if first.difference is not None and one.change_ends is not None:
        change = f"{name}, change from baseline"
        yield _performance(change, first.difference, where, one.change_ends)


def _performance(name: str, value: float, where: str, ends: Ends | None) -> dict[str, Any]:
    found: dict[str, Any] = {"type": name, "value": repr(value), "slice": where}
    if ends is not None:
        bounds = zip(("lowerBound", "upperBound"), ends, strict=True)
        found["confidenceInterval"] = {key: repr(end) for key, end in bounds if end is not None}
    return found


def _properties(record: DecisionRecord, digest: str) -> Iterator[dict[str, str]]:
    yield _property("record", digest)
    yield _property("outcome", record.outcome)
    yield _property("policy", f"{named(record.policy.name)} {record.policy.sha256}")
    yield _property("task", traits_of(record).name)
    for one in measured_results(record):
        if one.first.candidate is None:
            yield _property("not_defined", f"{visible(one.metric)} on {visible(one.slice)}")


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"prunegate:{name}", "value": visible(value)}
