"""int8 inside torch: rounding obeys its bounds, and a stored model comes back bit by bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import nn

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.int8 import (
    int8_state,
    load_int8,
    prepare_int8,
    quantize_module,
)
from prunegate.models.int8_layers import Int8Embedding, Int8Linear
from prunegate.models.int8_rounding import round_to_int8
from prunegate.models.weights import zeros_of

pytestmark = pytest.mark.models

Make = Callable[..., tuple[Any, dict[str, Any]]]
weights = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=4, max_side=5),
    elements=st.floats(-1e6, 1e6, width=32),
)


@given(weights, st.sampled_from([None, 0, 1]))
def test_rounding_is_off_by_half_a_step_at_most_and_symmetric(
    weight: np.ndarray[Any, Any], axis: int | None
) -> None:
    whole, scale = round_to_int8(weight, axis)
    spread = scale
    if axis is not None:
        assert scale.shape == (weight.shape[axis],)
        spread = np.expand_dims(scale, tuple(a for a in range(weight.ndim) if a != axis))
    off = np.abs(weight - whole * spread.astype(np.float64))
    assert np.all(off <= spread * (0.5 + 1e-4) + 1e-38)
    assert np.array_equal(round_to_int8(-weight, axis)[0], -whole)
    assert whole.min() >= -127


def test_the_largest_weight_of_each_channel_is_exact_and_zeros_stay() -> None:
    weight = np.array([[0.5, -2.0], [0.0, 0.0], [1e-3, 5e-4]], dtype=np.float32)
    whole, scale = round_to_int8(weight, 0)
    assert whole.tolist() == [[32, -127], [0, 0], [127, 64]]
    assert scale == pytest.approx([2 / 127, 1.0, 1e-3 / 127])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused_and_nothing_is_replaced(bad: float) -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with torch.no_grad():
        module[1].weight[0, 0] = bad
    with pytest.raises(ModelError, match="NaN or infinite weights cannot be quantized"):
        quantize_module(module)
    assert type(module[0]) is nn.Linear


@given(st.integers(0, 2**20), st.sampled_from([(1, 1, 1), (3, 7, 5), (20, 16, 33)]))
def test_dynamic_is_the_product_of_the_rounded_numbers(seed: int, sizes: tuple[int, ...]) -> None:
    rows, wide, out = sizes
    generator = torch.Generator().manual_seed(seed)
    module = nn.Sequential(nn.Linear(wide, out))
    data = torch.randn(rows, wide, generator=generator)
    quantize_module(module, kind="dynamic")
    layer = module[0]
    assert isinstance(layer, Int8Linear)
    scale = data.abs().amax(dim=1, keepdim=True) / 127
    rounded = torch.round(data / scale).double() * scale.double()
    assert layer.bias is not None
    expected = rounded @ layer.weight.double().t() + layer.bias.double()
    assert torch.allclose(module(data).double(), expected, atol=1e-5)


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    module = nn.Sequential(nn.Linear(8, 4))
    quantize_module(module)
    row, loud = torch.randn(1, 8), 1000 * torch.randn(1, 8)
    assert torch.equal(module(torch.cat([row, loud]))[:1], module(row))
    assert torch.equal(module(torch.zeros(1, 8)), module[0].bias[None])


KINDS = [("dynamic", True), ("dynamic", False), ("weight_only", True), ("weight_only", False)]


@pytest.mark.parametrize(("kind", "per_channel"), KINDS)
def test_a_vit_stays_close_and_comes_back_bit_by_bit(
    kind: Any, per_channel: bool, make_vit: Make
) -> None:
    module, _ = make_vit()
    images = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    quantized, skeleton = copy.deepcopy(module), copy.deepcopy(module)
    quantize_module(quantized, kind=kind, per_channel=per_channel)
    raw = safetensors.torch.save(int8_state(quantized))
    prepare_int8(skeleton, kind=kind, per_channel=per_channel)
    load_int8(skeleton, safetensors.torch.load(raw))
    with torch.inference_mode():
        exact, close = module(images).logits, quantized(images).logits
        assert torch.equal(skeleton(images).logits, close)
    assert 0 < (close - exact).abs().max() < 0.05 * exact.abs().max()
    assert safetensors.torch.save(int8_state(skeleton)) == raw
    quantize_module(again := copy.deepcopy(module), kind=kind, per_channel=per_channel)
    assert safetensors.torch.save(int8_state(again)) == raw


def language_model(tied: bool = True) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    ends = {"bos_token_id": 1, "eos_token_id": 1}
    config = GPT2Config(
        vocab_size=60, n_embd=8, n_layer=1, n_head=2, n_positions=16, tie_word_embeddings=tied
    )
    config.update(ends)
    torch.manual_seed(0)
    return GPT2LMHeadModel(config).eval()


def logits(module: Any) -> torch.Tensor:
    with torch.inference_mode():
        return module(input_ids=torch.arange(10)[None], use_cache=False).logits  # type: ignore[no-any-return]


@pytest.mark.parametrize("embeddings", [True, False, None])
def test_tied_embeddings_are_stored_once_and_treated_as_one(embeddings: bool | None) -> None:
    module = language_model()
    expected = logits(module)
    skeleton = copy.deepcopy(module)
    quantize_module(module, embeddings=embeddings)
    state = safetensors.torch.load(safetensors.torch.save(int8_state(module)))
    tables = [name for name, tensor in state.items() if 60 in tensor.shape and tensor.ndim == 2]
    assert len(tables) == 1
    stored = [tensor for tensor in state.values() if tensor.ndim > 1]
    assert zeros_of(module) == sum(int((one == 0).sum()) for one in stored) > 0
    assert isinstance(module.transformer.wte, Int8Embedding) == (embeddings is True)
    assert isinstance(module.lm_head, Int8Linear) == (embeddings is True)
    prepare_int8(skeleton, embeddings=embeddings)
    load_int8(skeleton, state)
    assert torch.equal(logits(skeleton), logits(module))
    assert (logits(module) - expected).abs().max() < 0.05 * expected.abs().max()


def test_embeddings_are_quantized_unasked_where_they_dominate() -> None:
    class Words(nn.Module):
        def __init__(self, words: int) -> None:
            super().__init__()
            self.table = nn.Embedding(words, 4)
            self.last = nn.Linear(4, 20, bias=False)

    few, many = Words(19), Words(21)
    quantize_module(few)
    quantize_module(many)
    assert type(few.table) is nn.Embedding
    assert isinstance(many.table, Int8Embedding)
    stored = sum(tensor.numel() for tensor in int8_state(many).values())
    assert stored == 21 * 4 + 21 + 80 + 20  # the words and their scales, the layer and its


def test_weights_of_another_model_are_refused_whole(make_vit: Make) -> None:
    module, _ = make_vit()
    quantize_module(module)
    state = int8_state(module)
    before = safetensors.torch.save(state)
    name = next(key for key in state if key.endswith("weight_int8"))
    broken = {
        "missing": {key: tensor for key, tensor in state.items() if key != name},
        "unknown": {**state, "more": torch.ones(1)},
        "float": {**state, name: state[name].float()},
        "shape": {**state, name: state[name][:1]},
        "nan": {**state, name.replace("int8", "scale"): torch.tensor([torch.nan])},
    }
    for wrong in broken.values():
        with pytest.raises(ModelError, match="not the int8 weights of this model"):
            load_int8(module, wrong)
    assert safetensors.torch.save(int8_state(module)) == before


def test_it_cannot_be_trained_and_nothing_to_quantize_is_an_error(make_vit: Make) -> None:
    module, _ = make_vit()
    quantize_module(module)
    with pytest.raises(UnsupportedError, match="put 'finetune' before 'quantize'"):
        module.train()
    with pytest.raises(UnsupportedError, match="to quantize; drop the step"):
        quantize_module(nn.Sequential(nn.LayerNorm(3)))


@given(st.sampled_from([(1, 64, 32), (17, 65, 33), (40, 7, 8)]), st.sampled_from([1, 2]))
def test_products_are_those_of_whole_numbers_at_the_extremes(
    sizes: tuple[int, int, int], threads: int
) -> None:
    """On every processor: nothing saturates where all weights and activations are the largest."""
    rows, wide, out = sizes
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for sign in (1, -1):
            module = nn.Sequential(nn.Linear(wide, out, bias=False))
            with torch.no_grad():
                module[0].weight.fill_(sign)
            quantize_module(module)
            data = torch.full((rows, wide), 127.0)
            assert torch.equal(module[0].weight_int8, torch.full((out, wide), 127 * sign).char())
            assert torch.allclose(module(data), torch.full((rows, out), 127.0 * wide * sign))
    finally:
        torch.set_num_threads(before)
