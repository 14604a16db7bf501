"""Exports repeat, say nothing of this machine, leave no trace, and are refused when wrong."""

from __future__ import annotations

import logging
import os
import warnings

import pytest
import torch
from torch import nn

from prunegate.compress.export import to_onnx
from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.onnx_module import OnnxModule

pytestmark = pytest.mark.models

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")


class Answer:
    def __init__(self, logits: torch.Tensor) -> None:
        self.logits = logits


class Right(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.dropout = nn.Dropout(0.5)

    def forward(self, pixel_values: torch.Tensor) -> Answer:
        return Answer(self.dropout(self.layer(pixel_values)))


class Wrong(Right):
    """Answers differently when it is exported."""

    def forward(self, pixel_values: torch.Tensor) -> Answer:
        factor = 2.0 if torch.compiler.is_exporting() else 1.0
        return Answer(self.layer(pixel_values) * factor)


class Branches(Right):
    """Depends on the data in a way that no graph can hold."""

    def forward(self, pixel_values: torch.Tensor) -> Answer:
        logits = self.layer(pixel_values)
        return Answer(logits if pixel_values.sum() > 0 else -logits)


@pytest.mark.slow
def test_exporting_repeats_and_leaves_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
    module = Right()
    rows = torch.randn(4, 3)
    before = (torch.get_rng_state(), logging.root.handlers[:], logging.root.manager.disable)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        raw = to_onnx(module, {"pixel_values": rows})
        assert to_onnx(module, {"pixel_values": rows[:1]}) == raw
    assert all(part.training for part in module.modules())
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (logging.root.handlers, logging.root.manager.disable) == before[1:]
    assert capfd.readouterr() == ("", "")
    for word in (b".py", b"site-packages", b"stack_trace", b"Right", os.fsencode(os.getcwd())):  # noqa: PTH109  # bytes
        assert word not in raw
    graph = onnx.load_from_string(raw).graph
    assert [value.name for value in graph.output] == ["logits"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    with torch.inference_mode():
        assert torch.allclose(OnnxModule(raw)(rows).logits, module.eval()(rows).logits, atol=1e-6)


@pytest.mark.slow
def test_an_export_that_answers_differently_is_refused() -> None:
    with pytest.raises(ModelError, match=r"logits differ by 1 of the largest"):
        to_onnx(Wrong(), {"pixel_values": torch.randn(2, 3)})


@pytest.mark.slow
def test_what_cannot_be_exported_is_one_error() -> None:
    with pytest.raises(UnsupportedError, match="torch cannot export this model") as caught:
        to_onnx(Branches(), {"pixel_values": torch.randn(2, 3)})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("inputs", [{}, {"input_ids": torch.ones(1, 2)}, {"x": torch.ones(1)}])
def test_other_inputs_are_refused(inputs: dict[str, torch.Tensor]) -> None:
    with pytest.raises(UnsupportedError, match="models of pixel_values, or of input_ids and"):
        to_onnx(Right(), inputs)


def test_an_empty_example_is_refused() -> None:
    with pytest.raises(ModelError, match="give one row at least"):
        to_onnx(Right(), {"pixel_values": torch.ones(0, 3)})


def test_more_than_two_gigabytes_are_refused() -> None:
    module = Right()
    module.layer = nn.Linear(2**15, 2**14, device="meta")
    with pytest.raises(UnsupportedError, match="larger than 2 GB"):
        to_onnx(module, {"pixel_values": torch.randn(2, 3)})
