"""The manifest: round trip, and every way to be refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prunegate.errors import ModelError
from prunegate.models.kept_units import KeptUnits
from prunegate.models.surgery import Ranking, Storage, Surgery
from prunegate.models.surgery_json import from_json, to_json

SURGERY = Surgery(
    architecture="ViTForImageClassification",
    config={"hidden_size": 12},
    kept=KeptUnits(
        units={"heads": ((0, 2), (1,), ()), "neurons": ((0,), (3, 4), ()), "layers": ((0, 1),)}
    ),
    parameters=123,
    weights_sha256="a" * 64,
    baseline_digest="b" * 64,
    recipe=({"step": "prune"},),
    seed=2**62,
    zeros=5,
    storage=Storage(format="int8", quantized={"kind": "dynamic", "per_channel": True}),
    importance={
        "heads": Ranking(
            criterion="taylor", shares=((0.25, 0.0, 0.75), (None, 1.0, 0.0), (0.5, 0.5))
        ),
        "layers": Ranking(criterion="random", shares=((0.25, 0.5, 0.25),)),
    },
)


def kept(**changes: Any) -> dict[str, Any]:
    whole = {"heads": [[0], [0], []], "neurons": [[0], [0], []], "layers": [[0, 1]]}
    return {"kept": {**whole, **changes}}


def importance(**changes: Any) -> dict[str, Any]:
    whole = {"criterion": "taylor", "shares": [[0.5], [0.5], [0.5]]}
    return {"importance": {"heads": {**whole, **changes}}}


def test_what_is_written_is_read_back() -> None:
    assert from_json(to_json(SURGERY)) == SURGERY
    assert to_json(from_json(to_json(SURGERY))) == to_json(SURGERY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "prunegate-candidate/1"}, "not a prunegate-candidate/2"),
        ({"extra": 1}, "unknown keys extra"),
        ({"kept": {}}, "kept has nothing"),
        ({"kept": {"fingers": [[0]]}}, "kept has fingers"),
        (kept(heads=[[0], [], []]), "not in the layers that are kept"),
        (kept(layers=[[0, 2]]), "not in the layers that are kept"),
        (kept(layers=[[0], [1]]), "one row"),
        (kept(layers=[[]]), "empty"),
        (kept(heads=[[0, 0], [0], []]), "ascend"),
        (kept(heads=[[1, 0], [0], []]), "ascend"),
        (kept(heads=[[-1], [0], []]), "whole numbers"),
        (kept(heads=[[True], [0], []]), "whole numbers"),
        (kept(heads=[[0.0], [0], []]), "whole numbers"),
        (kept(heads=[0, 1]), "expected a list"),
        (kept(heads={}), "heads has to be list"),
        (kept(heads=[]), "0 rows"),
        ({"zeros": -1}, "zeros"),
        ({"zeros": True}, "zeros"),
        ({"storage": {"format": "float32"}}, "exactly format, quantized"),
        ({"storage": {"format": "pickle", "quantized": {}}}, "'pickle' is not known"),
        ({"storage": {"format": "onnx", "quantized": 1}}, "quantized has to be dict"),
        ({"parameters": True}, "parameters"),
        ({"parameters": 1.0}, "parameters"),
        ({"parameters": -1}, "parameters"),
        ({"seed": 2**63}, "seed"),
        ({"weights_sha256": "A" * 64}, "weights_sha256"),
        ({"weights_sha256": "a" * 63}, "weights_sha256"),
        ({"recipe": ["prune"]}, "recipe"),
        ({"config": []}, "config"),
        ({"architecture": None}, "architecture"),
        ({"importance": {"heads": 1}}, "heads has to be dict"),
        ({"importance": {"filters": {"criterion": "x", "shares": []}}}, "does not have"),
        (importance(shares=[[1.0]]), "1 rows, kept has 3"),
        (importance(more=1), "exactly criterion, shares"),
        (importance(shares=[[2.0], [0.5], [0.5]]), "not between 0 and 1"),
        (importance(shares=[["a"], [0.5], [0.5]]), "not a number"),
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
        (b'{"seed": 1, "seed": 2}', '"seed" occurs twice'),
        (b'{"seed": NaN}', "NaN is no JSON number"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * ((16 << 20) + 1), "more than the 16,777,216 bytes that are read"),
    ],
)
def test_hostile_json_is_refused_with_one_message(raw: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        from_json(raw)


@pytest.mark.parametrize("share", [b"1e999", b"9" * 400, b"-1", b"true"])
def test_a_share_that_is_none_is_refused(share: bytes) -> None:
    raw = to_json(SURGERY).replace(b"0.75", share)
    with pytest.raises(ModelError, match=r"not between 0 and 1|not a number"):
        from_json(raw)
