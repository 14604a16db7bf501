"""Hostile ONNX files: refused with one message before onnxruntime sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prunegate.errors import InputError, ModelError, UnsupportedError
from prunegate.models import onnx_module
from prunegate.models.onnx_file import read_onnx
from prunegate.models.onnx_module import OnnxModule
from prunegate.models.onnx_weights import stored_weights

pytestmark = pytest.mark.models

onnx = pytest.importorskip("onnx")
FLOAT = onnx.TensorProto.FLOAT


def value(name: str) -> Any:
    return onnx.helper.make_tensor_value_info(name, FLOAT, [2])


def stored(values: Any, name: str = "weight") -> Any:
    return onnx.numpy_helper.from_array(np.array(values, dtype=np.float32), name)


def model(*nodes: Any, tensors: tuple[Any, ...] = (), domains: tuple[str, ...] = ()) -> Any:
    nodes = nodes or (onnx.helper.make_node("Add", ["data", "weight"], ["logits"]),)
    tensors = tensors or (stored([1, 2]),)
    graph = onnx.helper.make_graph(nodes, "g", [value("data")], [value("logits")], tensors)
    opsets = [onnx.helper.make_opsetid(domain, 20 if not domain else 1) for domain in domains]
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 20), *opsets], ir_version=10
    )


def outside(tensor: Any, location: str) -> Any:
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def branching(inner: Any) -> Any:
    """A model with a graph inside a node."""
    then = onnx.helper.make_graph([inner], "then", [], [value("inner")], [])
    other = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["data"], ["other"])], "else", [], [value("other")]
    )
    yes = onnx.helper.make_node(
        "Constant", [], ["yes"], value=onnx.numpy_helper.from_array(np.array(True))
    )
    return model(
        yes, onnx.helper.make_node("If", ["yes"], ["logits"], then_branch=then, else_branch=other)
    )


def with_function() -> Any:
    function = onnx.helper.make_function(
        "local", "Mine", ["a"], ["b"], [onnx.helper.make_node("Identity", ["a"], ["b"])], []
    )
    hostile = model()
    hostile.functions.append(function)
    return hostile


def constant(tensor: Any) -> Any:
    return onnx.helper.make_node("Constant", [], ["inner"], value=tensor)


def truncated() -> Any:
    hostile = model()
    hostile.graph.initializer[0].raw_data = b"\0\0\0"
    return hostile


BESIDE = "beside.bin"
HOSTILE: dict[str, tuple[Callable[[], Any], type[InputError], str]] = {
    "external": (
        lambda: model(tensors=(outside(stored([1, 2]), BESIDE),)),
        UnsupportedError,
        "'weight' is stored outside the file",
    ),
    "external elsewhere": (
        lambda: model(tensors=(outside(stored([1, 2]), "../../etc/passwd"),)),
        UnsupportedError,
        "stored outside the file",
    ),
    "external inside a branch": (
        lambda: branching(constant(outside(stored([1, 2], "deep"), BESIDE))),
        UnsupportedError,
        "'deep' is stored outside the file",
    ),
    "custom operator": (
        lambda: model(
            onnx.helper.make_node("Run", ["data"], ["logits"], domain="evil"), domains=("evil",)
        ),
        UnsupportedError,
        "operators of 'evil'",
    ),
    "custom operator in a branch": (
        lambda: branching(onnx.helper.make_node("Run", ["data"], ["inner"], domain="evil")),
        UnsupportedError,
        "operators of 'evil'",
    ),
    "function": (with_function, UnsupportedError, "functions or training graphs"),
    "nan": (lambda: model(tensors=(stored([1, np.nan]),)), ModelError, "NaN in 'weight'"),
    "nan in a branch": (
        lambda: branching(constant(stored([np.nan, 0], "deep"))),
        ModelError,
        "NaN in 'deep'",
    ),
    "truncated tensor": (truncated, ModelError, "'weight' is not whole"),
    "no graph": (onnx.ModelProto, ModelError, "not an ONNX"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_before_the_runtime(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, kind, message = HOSTILE[name]
    (tmp_path / BESIDE).write_bytes(np.array([7, 7], dtype=np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(onnx_module, "open_session", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(kind, match=message) as caught:
        OnnxModule(make().SerializeToString())
    assert len(str(caught.value)) < 500
    assert "7" not in str(caught.value)


@pytest.mark.parametrize(
    "raw", [b"", b"\x80\x04K\x01.", b"PK\x03\x04", b"<html>", bytes(range(256))]
)
def test_other_bytes_are_no_onnx_file(raw: bytes) -> None:
    with pytest.raises(ModelError, match="not an ONNX"):
        OnnxModule(raw)


def test_every_truncation_is_refused() -> None:
    raw = model().SerializeToString()
    assert stored_weights(read_onnx(raw)).count == 2
    for length in range(len(raw)):
        with pytest.raises(InputError) as caught:
            OnnxModule(raw[:length])
        assert "\n" not in str(caught.value)


def test_what_only_the_runtime_can_refuse_is_a_model_error_too(
    capfd: pytest.CaptureFixture[str],
) -> None:
    unknown = model(onnx.helper.make_node("NoSuchOperator", ["data"], ["logits"]))
    with pytest.raises(ModelError, match="onnxruntime refuses it") as caught:
        OnnxModule(unknown.SerializeToString())
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_more_than_two_gigabytes_are_refused_unread() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 2**31

    with pytest.raises(UnsupportedError, match="larger than 2 GB"):
        read_onnx(Huge())


def test_infinity_is_allowed_because_masks_need_it() -> None:
    assert read_onnx(model(tensors=(stored([-np.inf, 0]),)).SerializeToString())
