"""Every architecture, exported once: the logits are torch's, and int8 of it stays close.

One test per architecture, because the export is what takes the time. A ViT is exported, quantized
and judged by day in functional/test_compress_command.py, and here at night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from tests.depth import THOROUGH
from tests.unit.models.tiny import tiny
from torch import nn

from prunegate.compress.export import to_onnx
from prunegate.compress.quantize_onnx import int8
from prunegate.models.onnx_file import read_onnx
from prunegate.models.onnx_module import OnnxModule
from prunegate.models.onnx_weights import stored_weights

pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.slow
Make = Callable[..., Any]
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def pruned_vit(make_model: Make) -> nn.Module:
    """Layers of two and one heads, of three and ten neurons."""
    from prunegate.models.cut import cut

    model = make_model()
    cut(model.family, model.module, "heads", [(0, 2), (1,)])
    cut(model.family, model.module, "neurons", [(0, 3, 9), tuple(range(10))])
    module: nn.Module = model.module
    return module


def bert(_: Make) -> nn.Module:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.BertConfig(
        **sizes, vocab_size=50, intermediate_size=20, max_position_embeddings=32
    )
    module: nn.Module = transformers.BertForSequenceClassification(config)
    return module


def gpt2(_: Make) -> nn.Module:
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 32}
    module: nn.Module = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(**sizes, **ENDS, vocab_size=300)
    )
    return module


def llama(_: Make) -> nn.Module:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = transformers.LlamaConfig(
        **sizes, **ENDS, num_key_value_heads=2, vocab_size=50, intermediate_size=20
    )
    module: nn.Module = transformers.LlamaForCausalLM(config)
    return module


def pruned(name: str, **changes: Any) -> nn.Module:
    """A tiny model of which half is left in every row, its layers whole."""
    from prunegate.models.cut import cut

    model = tiny(name, **changes)
    for kind in ("heads", "neurons"):
        rows = model.whole.rows(kind)
        cut(model.family, model.module, kind, [range(0, len(row), 2) for row in rows])
    module: nn.Module = model.module
    return module


def swin(_: Make) -> nn.Module:
    return pruned("swin", embed_dim=32)


def modernbert(_: Make) -> nn.Module:
    """A layer that attends to everything, and one that attends to what is near."""
    return pruned("modernbert", hidden_size=24, intermediate_size=16, num_hidden_layers=2)


def resnet(_: Make) -> nn.Module:
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic", num_labels=3
    )
    module: nn.Module = transformers.ResNetForImageClassification(config)
    return module


def filled(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return module.eval()


def inputs(name: str, rows: int, length: int) -> dict[str, torch.Tensor]:
    """Random images; or tokens, the first row padded at its end."""
    generator = torch.Generator().manual_seed(rows + length)
    if name in SIDES:
        side = SIDES[name]
        return {"pixel_values": torch.randn(rows, 3, side, side, generator=generator)}
    mask = torch.ones(rows, length, dtype=torch.long)
    mask[0, (length + 1) // 2 :] = 0
    tokens = torch.randint(3, 30, (rows, length), generator=generator)
    return {"input_ids": tokens, "attention_mask": mask}


def differences(
    module: nn.Module, other: nn.Module, name: str, shapes: list[tuple[int, int]]
) -> Iterator[float]:
    """Largest difference of logits, in parts of the largest logit, for each shape."""
    options = {"use_cache": False} if name in ("gpt2", "llama") else {}
    for rows, length in shapes:
        given = inputs(name, rows, length)
        with torch.inference_mode():
            expected = module(**given, **options).logits
            got = other(**given).logits
        assert got.shape == expected.shape
        yield float((got - expected).abs().max() / expected.abs().max())


SIDES = {"vit": 16, "swin": 16, "resnet": 32}
ALSO_STORED = {
    "llama": 2,  # rotary frequencies
    "modernbert": 2 * 4,  # those of both kinds of attention
    # Tables of 49 relative positions are looked up once, for 16 x 16 pairs in each of four heads;
    # and there is the mask of the four shifted windows.
    "swin": 4 * (16**2 - 49) + 4 * 16**2,
}
MAKERS = {
    "vit": pruned_vit,
    "swin": swin,
    "bert": bert,
    "modernbert": modernbert,
    "gpt2": gpt2,
    "llama": llama,
    "resnet": resnet,
}


@pytest.mark.parametrize("name", [n for n in MAKERS if n != "vit" or THOROUGH])
def test_an_architecture_in_onnx_and_in_int8(name: str, make_model: Make) -> None:
    module = filled(MAKERS[name](make_model))
    raw = to_onnx(module, inputs(name, 3, 7))
    exported = OnnxModule(raw)
    shapes = [(1, 1), (1, 7), (5, 12)]
    assert max(differences(module, exported, name, shapes)) < 2e-6
    if name != "resnet":  # whose normalisations were folded into its filters
        # gpt2: the tied table is stored once.
        extra = ALSO_STORED.get(name, 0)
        assert (
            stored_weights(read_onnx(raw)).count
            == sum(p.numel() for p in module.parameters()) + extra
        )
    rows = [inputs(name, 4, 9), inputs(name, 2, 5)]
    sizes = {}
    for kind in ("dynamic", "static", "weight_only"):
        quantized = int8(raw, kind=kind, calibration=rows if kind == "static" else ())  # type: ignore[arg-type]
        assert max(differences(module, OnnxModule(quantized), name, [(4, 9), (2, 5)])) < 0.05
        sizes[kind] = len(quantized)
    assert max(sizes.values()) < len(raw)
    if name == "gpt2":  # embeddings dominate, so they were quantized unasked
        assert sizes["dynamic"] == len(int8(raw, embeddings=True))
        assert sizes["dynamic"] < len(int8(raw, embeddings=False)) - 300 * 16 * 2
