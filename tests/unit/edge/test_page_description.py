"""edge.json is read as it was written; every damage to it is one error."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from prunegate.edge.page_description import page_description
from prunegate.errors import ModelError

FILES = ("model.onnx", "scorer.js", "pixels.js", "runtime/ort.js", "runtime/ort.wasm")
RUNTIME = {"package": "onnxruntime-web", "version": "1.30.0", "license": "MIT"}
SAID: dict[str, Any] = {
    "format": "urn:prunegate:edge:v1",
    "made_by": "prunegate",
    "title": "x",
    "runtime": {"engine": "wasm", **RUNTIME},
    "packages": [RUNTIME],
    "candidate": {
        "digest": "a" * 64,
        "architecture": "ViT",
        "parameters": 4,
        "quantized": {},
        "exported": True,
    },
    "input": {"reads": "images", "name": "x", "layout": "NCHW", "channels": "RGB"},
    "output": "logits",
    "activation": "softmax",
    "classes": ["safe", "unsafe"],
    "decision": {"kind": "positive", "thresholds": {"unsafe": 0.4}},
    "processing": {
        "size": [2, 2],
        "resample": 2,
        "crops": [],
        "tall_first": True,
        "scale": 0.5,
        "mean": [0, 0.5, 0.5],
        "std": None,
    },
    "files": dict.fromkeys(FILES, "b" * 64),
}


def places(value: Any, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where a mapping has values, at any depth."""
    found = [] if not at else [at]
    if isinstance(value, dict):
        found += [place for name, one in value.items() for place in places(one, (*at, name))]
    return found


def damaged(place: tuple[str, ...], value: Any) -> bytes:
    said = copy.deepcopy(SAID)
    inner = said
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return json.dumps(said).encode()


def test_what_is_written_is_read() -> None:
    assert page_description(json.dumps(SAID).encode(), "x").classes == ("safe", "unsafe")
    found = page_description(damaged(("decision", "judged"), {"unsafe": 0.5}), "x")
    assert found.decision.judged == {"unsafe": 0.5}


@pytest.mark.parametrize("place", places(SAID), ids=".".join)
def test_no_value_is_of_another_type(place: tuple[str, ...]) -> None:
    values: list[Any] = [-1, [[]], {"x": []}, float("nan")]
    for value in values:
        if place == ("candidate", "quantized") and isinstance(value, dict):
            continue  # whatever a recipe said
        with pytest.raises(ModelError, match="make the page again"):
            page_description(damaged(place, value), "x")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("classes",), ["safe", "safe"]),
        (("classes",), ["unsafe"]),
        (("classes",), ["", "unsafe"]),
        (("classes",), "ab"),
        (("decision", "thresholds"), {"other": 0.5}),
        (("decision", "thresholds"), {"unsafe": True}),
        (("decision", "thresholds"), {}),
        (("decision", "judged"), {"unsafe": 0.4}),
        (("decision", "judged"), {"safe": 0.5}),
        (("decision", "judged"), {"unsafe": 1.5}),
        (("decision", "kind"), "each"),
        (("decision", "kind"), "likeliest"),
        (("input", "reads"), "texts"),
        (("files", "a\0b"), "b" * 64),
        (("files", "../a"), "b" * 64),
        (("files", "/a"), "b" * 64),
        (("files", "."), "b" * 64),
        (("files",), {}),
        (("more",), 1),
    ],
)
def test_no_part_contradicts_another(place: tuple[str, ...], value: Any) -> None:
    with pytest.raises(ModelError, match="make the page again"):
        page_description(damaged(place, value), "x")
