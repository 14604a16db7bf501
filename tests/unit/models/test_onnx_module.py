"""A model.onnx as a module: what it answers, what it refuses, and that it stays on the CPU."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from prunegate.cost.measure import measure
from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.onnx_file import read_onnx
from prunegate.models.onnx_module import OnnxModule
from prunegate.models.onnx_weights import stored_weights
from prunegate.models.placement import placed

pytestmark = pytest.mark.models

onnx = pytest.importorskip("onnx")


def product(outputs: tuple[str, ...] = ("logits",)) -> bytes:
    """Rows of three numbers times [[1, 2], [3, 4], [5, 6]], under each output name."""
    helper = onnx.helper
    weight = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["rows", "weight"], [name]) for name in outputs],
        "product",
        [helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["batch", 2]) for n in outputs],
        [onnx.numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    raw: bytes = model.SerializeToString()
    return raw


ROWS = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
ANSWER = torch.tensor([[1.0, 2.0], [8.0, 10.0]])


def test_it_answers_by_name_and_by_place_for_any_batch() -> None:
    module = OnnxModule(product()).eval()
    assert module.inputs == ("rows",)
    assert stored_weights(read_onnx(product())).count == 6
    assert torch.equal(module(rows=ROWS).logits, ANSWER)
    assert torch.equal(module(ROWS[:1]).logits, ANSWER[:1])
    assert not list(module.parameters())


def test_a_single_output_may_have_any_name_and_logits_is_found_among_several() -> None:
    assert torch.equal(OnnxModule(product(("scores",)))(ROWS).logits, ANSWER)
    assert torch.equal(OnnxModule(product(("scores", "logits")))(ROWS).logits, ANSWER)
    with pytest.raises(ModelError, match="outputs a, b; expected one named logits"):
        OnnxModule(product(("a", "b")))


def test_a_copy_answers_the_same_and_is_another_module() -> None:
    module = OnnxModule(product())
    copied = copy.deepcopy([module, module])
    assert copied[0] is copied[1]
    assert copied[0] is not module
    assert torch.equal(copied[0](ROWS).logits, ANSWER)
    assert torch.equal(pickle.loads(pickle.dumps(module))(ROWS).logits, ANSWER)  # noqa: S301  # our own bytes


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "takes rows; got nothing"),
        ({"pixels": ROWS}, "takes rows; got pixels"),
        ({"rows": ROWS, "mask": ROWS}, "takes rows; got rows, mask"),
        ({"rows": ROWS[:, :2]}, "cannot run on these inputs"),
        ({"rows": ROWS.double()}, "cannot run on these inputs"),
    ],
)
def test_inputs_that_do_not_fit_are_one_error(
    inputs: dict[str, Any], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        OnnxModule(product())(**inputs)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # the runtime's own log would say it twice


def test_the_same_input_given_twice_is_refused() -> None:
    with pytest.raises(ModelError, match="got input 1, rows"):
        OnnxModule(product())(ROWS, rows=ROWS)
    with pytest.raises(ModelError, match="got input 1, input 2"):
        OnnxModule(product())(ROWS, ROWS)


def test_it_uses_as_many_threads_as_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    from prunegate.models import onnx_module

    opened: list[int] = []
    really = onnx_module.open_session

    def counting(raw: bytes, name: str, threads: int, **more: Any) -> Any:
        opened.append(threads)
        return really(raw, name, threads, **more)

    monkeypatch.setattr(onnx_module, "open_session", counting)
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # whatever this machine begins with
    try:
        module = OnnxModule(product())
        for threads in (2, 2, 1):
            torch.set_num_threads(threads)
            assert torch.equal(module(ROWS).logits, ANSWER)
    finally:
        torch.set_num_threads(before)
    assert opened == [1, 2, 1]


def test_it_cannot_be_trained_or_moved() -> None:
    module = OnnxModule(product())
    with pytest.raises(UnsupportedError, match="cannot be trained; fine-tune before the export"):
        module.train()
    with (
        pytest.raises(UnsupportedError, match="cannot be trained"),
        placed(module, "cpu", training=True),
    ):
        pass
    with placed(module, "cpu", training=False) as device:
        assert device.type == "cpu"
    assert not module.training


def test_another_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with (
        pytest.raises(UnsupportedError, match="is run on the CPU here; use cpu"),
        placed(OnnxModule(product()), "cuda", training=False),
    ):
        pass


def test_it_can_be_timed_against_a_torch_module() -> None:
    class Torch(torch.nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows @ torch.ones(3, 2)

    timed = measure(Torch(), OnnxModule(product()), {"rows": ROWS}, rounds=6, seconds=0.05)
    assert timed.candidate.latency_p50_ms is not None


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from prunegate.models import onnx_file

    def missing(name: str) -> Any:
        raise ImportError(name)

    raw = product()
    monkeypatch.setattr(onnx_file, "import_module", missing)
    with pytest.raises(UnsupportedError, match=r"pip install 'prunegate\[edge\]'"):
        OnnxModule(raw)


def of_one_row_only() -> bytes:
    """Two rows and more want more memory than there are addresses."""
    helper, types = onnx.helper, onnx.TensorProto
    stored = {"none": [0], "one": [1], "huge": [2**46]}
    nodes = [
        helper.make_node("Shape", ["rows"], ["shape"]),
        helper.make_node("Slice", ["shape", "none", "one"], ["count"]),
        helper.make_node("Sub", ["count", "one"], ["more"]),
        helper.make_node("Mul", ["more", "huge"], ["wanted"]),
        helper.make_node("Max", ["wanted", "one"], ["size"]),
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceMean", ["zeros"], ["zero"], keepdims=0),
        helper.make_node("Add", ["rows", "zero"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "greedy",
        [helper.make_tensor_value_info("rows", types.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("logits", types.FLOAT, ["batch", 3])],
        [onnx.numpy_helper.from_array(np.array(v), name) for name, v in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    raw: bytes = model.SerializeToString()
    return raw


def test_where_memory_ends_onnxruntime_is_given_fewer_rows() -> None:
    from prunegate.predict.score import within_memory

    module = OnnxModule(of_one_row_only())
    with pytest.raises(MemoryError, match="allocate"):
        module(ROWS)

    def answers(batch: int) -> torch.Tensor:
        return torch.cat([module(part).logits for part in ROWS.split(batch)])

    assert torch.equal(within_memory(answers, 64), ROWS)
    with pytest.raises(ModelError, match="cannot run"):
        within_memory(lambda batch: module(torch.ones(batch, 5)).logits, 64)
