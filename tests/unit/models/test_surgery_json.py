"""The manifest: round trip, and every way to be refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prunegate.errors import ModelError
from prunegate.models.surgery import ImportanceSummary, NeuronSummary, Surgery
from prunegate.models.surgery_json import from_json, to_json

SURGERY = Surgery(
    architecture="ViTForImageClassification",
    config={"hidden_size": 12},
    heads=((0, 2), (1,)),
    neurons=((0,), (3, 4)),
    parameters=123,
    weights_sha256="a" * 64,
    baseline_digest="b" * 64,
    recipe=({"step": "prune"},),
    seed=2**62,
    importance=ImportanceSummary(
        criterion="taylor",
        heads=((0.25, 0.0, 0.75), (None, 1.0, 0.0)),
        neurons=(NeuronSummary(minimum=0.0, median=1.5, maximum=2.0),) * 2,
    ),
)


def test_what_is_written_is_read_back() -> None:
    assert from_json(to_json(SURGERY)) == SURGERY
    assert to_json(from_json(to_json(SURGERY))) == to_json(SURGERY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "prunegate-candidate/2"}, "not a prunegate-candidate/1"),
        ({"extra": 1}, "unknown keys extra"),
        ({"heads": [[0]]}, "heads has 1 layers, neurons 2"),
        ({"heads": [[], [0]]}, "empty"),
        ({"heads": [[0, 0], [0]]}, "ascend"),
        ({"heads": [[1, 0], [0]]}, "ascend"),
        ({"heads": [[-1], [0]]}, "whole numbers"),
        ({"heads": [[True], [0]]}, "whole numbers"),
        ({"heads": [[0.0], [0]]}, "whole numbers"),
        ({"heads": [0, 1]}, "expected a list per layer"),
        ({"heads": {}}, "heads has to be list"),
        ({"heads": []}, "0 layers"),
        ({"parameters": True}, "parameters"),
        ({"parameters": 1.0}, "parameters"),
        ({"parameters": -1}, "parameters"),
        ({"seed": 2**63}, "seed"),
        ({"weights_sha256": "A" * 64}, "weights_sha256"),
        ({"weights_sha256": "a" * 63}, "weights_sha256"),
        ({"recipe": ["prune"]}, "recipe"),
        ({"config": []}, "config"),
        ({"architecture": None}, "architecture"),
        ({"importance": {"criterion": "x", "heads": [], "neurons": []}}, "2 layers"),
        ({"importance": {"criterion": "x"}}, "exactly"),
        (
            {"importance": {"criterion": "x", "heads": [[2.0], []], "neurons": [{}, {}]}},
            "not between 0 and 1",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(changes: dict[str, Any], message: str) -> None:
    plain = json.loads(to_json(SURGERY))
    with pytest.raises(ModelError, match=message):
        from_json(json.dumps({**plain, **changes}).encode())


def test_a_missing_key_is_named() -> None:
    plain = json.loads(to_json(SURGERY))
    del plain["seed"]
    with pytest.raises(ModelError, match="missing keys seed"):
        from_json(json.dumps(plain).encode())


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[]", "expected a JSON object"),
        (b'{"seed": 1, "seed": 2}', "'seed' occurs twice"),
        (b'{"seed": NaN}', "NaN is not a number"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * ((16 << 20) + 1), "at most"),
    ],
)
def test_hostile_json_is_refused_with_one_message(raw: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        from_json(raw)


def test_an_infinite_importance_is_refused() -> None:
    raw = to_json(SURGERY).replace(b'"median": 1.5', b'"median": 1e999')
    with pytest.raises(ModelError, match="not finite"):
        from_json(raw)
