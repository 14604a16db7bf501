"""Every family as folders: loaded as saved, stored bit-exact, refused when pruned elsewhere."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch as safetensors_torch
import torch
from tests.unit.compress.prepared import prepared
from tests.unit.models.tiny import (
    CONFIGS,
    NAMES,
    answers,
    inputs_of,
    rows_of,
    same_weights,
    some,
    surgery_of,
    tiny,
    write_baseline,
)

from prunegate.errors import ModelError, UnsupportedError

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_loaded_pruned_saved_and_reloaded_bit_exact(name: str, tmp_path: Path) -> None:
    from prunegate.models.cut import cut_whole
    from prunegate.models.load import load_model
    from prunegate.models.save import write_candidate

    model = tiny(name)
    baseline = load_model(write_baseline(model, tmp_path / "baseline"))
    inputs = inputs_of(model)
    assert same_weights(model.module, baseline.module)
    assert torch.equal(
        answers(model, model.module, inputs), answers(model, baseline.module, inputs)
    )
    assert baseline.active_heads == model.family.active_heads(model.config, model.whole)
    kept = some(model)
    cut_whole(baseline.family, baseline.module, kept)
    surgery = surgery_of(baseline, kept, baseline.module)
    write_candidate(baseline.module, surgery, tmp_path / "candidate", tmp_path / "baseline")
    again = load_model(tmp_path / "candidate")
    assert again.kept == kept
    assert again.active_heads == model.family.active_heads(model.config, kept)
    assert same_weights(again.module, baseline.module)
    assert torch.equal(
        answers(model, again.module, inputs), answers(model, baseline.module, inputs)
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_from_pretrained_would_fill_with_random_numbers_is_refused(
    name: str, tmp_path: Path
) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.load import load_model

    model = tiny(name)
    kind = "filters" if "filters" in model.whole.kinds else "heads"
    cut(model.family, model.module, kind, [(0,) for _ in model.whole.rows(kind)])
    folder = write_baseline(model, tmp_path / "lost")
    with pytest.raises(ModelError, match=r"shapes do not fit the config.*prunegate compress"):
        load_model(folder)


OLD_NAMES = {
    "bert": [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")],
    "gpt2": [("transformer.", "")],
}


BUFFERS = {
    "bert": {"bert.embeddings.position_ids": torch.arange(20)[None]},
    "roberta": {"roberta.embeddings.position_ids": torch.arange(20)[None]},
    "electra": {"electra.embeddings.position_ids": torch.arange(20)[None]},
    "distilbert": {"distilbert.embeddings.position_ids": torch.arange(20)[None]},
    "gpt2": {
        "transformer.h.0.attn.bias": torch.ones(1, 1, 32, 32),
        "transformer.h.1.attn.masked_bias": torch.tensor(-1e4),
    },
    "swin": {
        "swin.encoder.layers.0.blocks.1.attention.self.relative_position_index": torch.ones(16, 16)
    },
    "swinv2": {
        "swinv2.encoder.layers.0.blocks.1.attention.self.relative_coords_table": torch.ones(1, 7, 2)
    },
    "llama": {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)},
}


@pytest.mark.parametrize("name", list(BUFFERS))
def test_files_of_earlier_releases_are_read(name: str, tmp_path: Path) -> None:
    from prunegate.models.load import load_baseline

    model = tiny(name)
    folder = write_baseline(model, tmp_path / "baseline")
    path = folder / "model.safetensors"
    state = {**safetensors_torch.load(path.read_bytes()), **BUFFERS[name]}
    for new, old in OLD_NAMES.get(name, []):
        assert any(new in key for key in state)
        state = {key.replace(new, old): tensor for key, tensor in state.items()}
    before = load_baseline(folder)
    path.write_bytes(safetensors_torch.save(state))
    found = load_baseline(folder)
    assert same_weights(found.module, model.module)
    spelled = (len(BUFFERS[name]) + len(state)) * 128  # of names, which are others
    assert abs(found.model_bytes - before.model_bytes) < spelled
    buffers = sum(tensor.nbytes for tensor in BUFFERS[name].values())
    assert found.bytes_found - found.model_bytes == buffers


@pytest.mark.parametrize("value", [0.5, 0.0])
@pytest.mark.parametrize("tied", [True, False])
def test_an_output_matrix_that_equals_the_embeddings_is_counted_once(
    tied: bool, value: float, tmp_path: Path
) -> None:
    """Whatever the config says of ties; of zeros that are not tied there is nothing to save."""
    from prunegate.models.load import load_baseline

    model = tiny("gpt2" if tied else "gpt2 untied")
    embeddings, output = model.module.get_input_embeddings(), model.module.lm_head
    with torch.no_grad():
        embeddings.weight *= value
        output.weight.copy_(embeddings.weight)
    folder = write_baseline(model, tmp_path / "twice")
    path = folder / "model.safetensors"
    state = safetensors_torch.load(path.read_bytes())
    state["lm_head.weight"] = embeddings.weight.detach().clone()
    path.write_bytes(safetensors_torch.save(state))
    found = load_baseline(folder)
    once = tied or value != 0
    assert found.bytes_found - found.model_bytes == (embeddings.weight.nbytes if once else 0)


@pytest.mark.parametrize("shape", [(), (1, 12), (15, 12), (32, 12)])
def test_what_lies_side_by_side_in_a_file_has_to_be_of_one_size(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    from prunegate.models.load import load_baseline

    folder = write_baseline(tiny("dinov2, gated"), tmp_path / "baseline")
    path = folder / "model.safetensors"
    state = safetensors_torch.load(path.read_bytes())
    fused = "dinov2.encoder.layer.1.mlp.weights_in.weight"
    assert state[fused].shape == (16, 12)
    path.write_bytes(safetensors_torch.save({**state, fused: torch.ones(shape)}))
    with pytest.raises(ModelError, match=r"layer\.1\.mlp"):
        load_baseline(folder)


@pytest.mark.parametrize("name", ["gpt2", "llama with biases, tied"])
def test_tied_weights_are_stored_once_and_stay_tied(name: str) -> None:
    from prunegate.models.weights import stored_once

    model = tiny(name)
    assert "lm_head.weight" not in stored_once(model.module)
    embeddings = model.module.get_input_embeddings().weight
    assert model.module.lm_head.weight is embeddings


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_recipe_is_carried_out(name: str, tmp_path: Path) -> None:
    from prunegate.compress.execute import compress
    from prunegate.models.load import load_model
    from prunegate.models.save import write_candidate

    model = tiny(name)
    baseline = load_model(write_baseline(model, tmp_path / "baseline"))
    rows = rows_of(model, 8)
    steps: list[Any] = [
        prepared(rows, prune={"what": kind, "amount": 0.4}) for kind in model.whole.kinds
    ]
    steps.append(prepared(rows, finetune={"steps": 2, "batch_size": 8}))
    before = copy.deepcopy(baseline.module.state_dict())
    made = compress(baseline, steps)
    write_candidate(made.module, made.surgery, tmp_path / "candidate", tmp_path / "baseline")
    again = load_model(tmp_path / "candidate")
    assert same_weights(again.module, made.module)
    for kind in model.whole.kinds:
        assert again.kept.total(kind) < model.whole.total(kind)
    assert all(torch.equal(before[key], now) for key, now in baseline.module.state_dict().items())
    json.loads((tmp_path / "candidate" / "surgery.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_pruned_model_in_eight_bits_comes_back_bit_by_bit(name: str) -> None:
    from prunegate.models.cut import cut_whole
    from prunegate.models.int8 import int8_state, load_int8, prepare_int8, quantize_module

    model = tiny(name)
    kept, inputs = some(model), inputs_of(model)
    cut_whole(model.family, model.module, kept)
    exact = answers(model, model.module, inputs)
    quantize_module(model.module)
    state = safetensors_torch.load(safetensors_torch.save(int8_state(model.module)))
    again = model.family.skeleton(model.config, kept)
    prepare_int8(again)
    load_int8(again, state)
    close = answers(model, again, inputs)
    assert torch.equal(close, answers(model, model.module, inputs))
    assert 0 < (close - exact).abs().max() < 0.2 * exact.abs().max()


def test_a_family_that_is_not_known_is_refused_with_those_that_are() -> None:
    from prunegate.models.family import family_of

    with pytest.raises(UnsupportedError) as refused:
        family_of("T5ForConditionalGeneration")
    assert all(architecture in str(refused.value) for architecture, _ in CONFIGS.values())
