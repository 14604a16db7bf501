"""Plain torch networks: what tracing finds is cut exactly, and saved and loaded."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compress.prepared import prepared
from tests.unit.models.networks import SIDE, Convolutional, Flattened, Residual, adopted, filters
from tests.unit.models.tiny import Rows, counted
from torch import nn

import prunegate
from prunegate.errors import UnsupportedError

pytestmark = pytest.mark.slow

pytest.importorskip("torch_pruning")


class JoinedThenAdded(nn.Module):
    """One convolution adds to a concatenation of two: it has filters of two sorts."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = nn.Conv2d(3, 7, 3, padding=1)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(3, 3, 3, padding=1)
        self.head = nn.Linear(7, 2)

    def forward(self, x: Any) -> Any:
        joined = torch.cat([self.first(x), self.second(x)], 1)
        return self.head(torch.relu(joined + self.whole(x)).mean((2, 3)))


class Squeezed(nn.Module):
    """Squeeze and excitation: a linear layer's outputs scale the filters."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 6, 3, padding=1)
        self.down = nn.Linear(6, 3)
        self.up = nn.Linear(3, 6)
        self.b = nn.Conv2d(6, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.a(x))
        scale = torch.sigmoid(self.up(torch.relu(self.down(x.mean((2, 3))))))
        return self.head(self.b(x * scale[:, :, None, None]).mean((2, 3)))


ROWS = {
    Flattened: [4, 6],
    Residual: [8, 6, 5, 4],
    JoinedThenAdded: [4, 3],
    Squeezed: [6, 4],
    Convolutional: [4],
}


def rows_of(count: int = 16) -> Rows:
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(count) % 2
    noise = torch.randn(count, 3, SIDE, SIDE, generator=generator)
    return Rows(
        inputs={"pixel_values": noise + (labels * 2.0 - 1.0)[:, None, None, None]}, labels=labels
    )


@pytest.mark.parametrize("network", list(ROWS))
@settings(max_examples=6)
@given(data=st.data())
def test_a_pruned_network_equals_the_gated_one(network: Any, data: st.DataObject) -> None:
    from prunegate.models.cut import cut
    from prunegate.models.gates import gated

    model = adopted(network, seed=data.draw(st.integers(0, 99)))
    sites = model.family.sites(model.module, "filters")
    assert [site.units for site in sites] == ROWS[network]
    keep, masks, kept = [], [], model.kept
    for site in sites:
        chosen = data.draw(st.sets(st.integers(0, site.units - 1), min_size=1))
        keep.append(tuple(sorted(chosen)))
        mask = torch.zeros(site.units)
        mask[list(keep[-1])] = 1.0
        masks.append(mask)
    pixels = torch.randn(3, 3, SIDE, SIDE)
    with torch.inference_mode(), gated(sites, masks):
        expected = model.module(pixel_values=pixels).logits
    cut(model.family, model.module, "filters", keep)
    with torch.inference_mode():
        pruned = model.module(pixel_values=pixels).logits
    torch.testing.assert_close(pruned, expected, atol=1e-5, rtol=1e-5)
    kept = kept.narrowed("filters", keep)
    assert counted(model.module) == model.family.parameters(model.config, kept)


@pytest.mark.parametrize("network", list(ROWS))
def test_a_network_is_compressed_saved_and_loaded_with_its_factory(
    network: Any, tmp_path: Path
) -> None:
    from prunegate.compress.execute import compress
    from prunegate.models.cnn import load_cnn
    from prunegate.models.load import load_model
    from prunegate.models.save import write_candidate

    model, rows = adopted(network), rows_of()
    before = copy.deepcopy(model.module.state_dict())
    training = {"steps": 40, "learning_rate": 2e-2, "batch_size": 16, "flips": False}
    steps: list[Any] = [
        prepared(rows, prune={"what": "filters", "amount": 0.3, "criterion": name})
        for name in ("taylor", "activation", "magnitude")
    ]
    made = compress(model, [*steps, prepared(rows, finetune=training)])
    assert np.mean(made.losses[0][-3:]) < made.losses[0][0]
    assert all(torch.equal(before[key], now) for key, now in model.module.state_dict().items())
    folder = tmp_path / "candidate"
    write_candidate(made.module, made.surgery, folder, model.folder)
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors",
        "surgery.json",
        "README.md",
    }
    assert "load_cnn(folder, build)" in (folder / "README.md").read_text()
    again = load_cnn(folder, network)
    assert again.kept == made.kept
    assert again.parameters == counted(made.module)
    state = again.module.state_dict()
    assert all(torch.equal(state[key], tensor) for key, tensor in made.module.state_dict().items())
    pixels = rows.inputs["pixel_values"]
    with torch.inference_mode():
        assert torch.equal(
            again.module(pixel_values=pixels).logits, made.module(pixel_values=pixels).logits
        )
    with pytest.raises(UnsupportedError, match=r"load_cnn\(folder, build\)"):
        load_model(folder)
    prunegate.save_candidate(again.module, tmp_path / "copy")
    assert load_cnn(tmp_path / "copy", network).digest == again.digest


def test_a_candidate_is_pruned_further(tmp_path: Path) -> None:
    from prunegate.compress.execute import compress
    from prunegate.models.cnn import load_cnn
    from prunegate.models.save import write_candidate

    model = adopted(Residual)
    step = filters({"keep": 12})
    once = compress(model, [step])
    write_candidate(once.module, once.surgery, tmp_path / "once", model.folder)
    last = filters({"keep": 8})
    twice = compress(load_cnn(tmp_path / "once", Residual), [last])
    for left, more in zip(twice.kept.of("filters"), once.kept.of("filters"), strict=True):
        assert set(left) <= set(more)
    assert twice.kept.total("filters") == 8
    assert twice.surgery.baseline_digest == model.digest


@pytest.mark.parametrize("criterion", ["magnitude", "taylor", "activation", "random"])
def test_single_weights_of_a_network_are_zeroed(criterion: str, tmp_path: Path) -> None:
    from prunegate.compress.execute import compress
    from prunegate.models import candidate_module
    from prunegate.models.cnn import load_cnn
    from prunegate.models.save import write_candidate

    model = adopted(Residual)
    prune = {"what": "weights", "amount": 0.5, "criterion": criterion}
    made = compress(model, [prepared(rows_of(6), prune=prune)])
    network = model.module.network
    convolutions = (network.inner, network.outer, network.depthwise, network.left, network.right)
    assert made.surgery.zeros == round(sum(one.weight.numel() for one in convolutions) / 2)
    assert bool((made.module.network.stem.weight != 0).all())
    write_candidate(made.module, made.surgery, tmp_path / "sparse", model.folder)
    assert load_cnn(tmp_path / "sparse", Residual).surgery == made.surgery
    with pytest.raises(UnsupportedError, match="load_cnn"):
        candidate_module.load_candidate(tmp_path / "sparse")


def test_sizes_follow_what_was_cut() -> None:
    from prunegate.models.cut import cut

    model = adopted(Residual)
    cut(model.family, model.module, "filters", [(0, 3, 7), (1, 2), (0,), (2, 3)])
    network = model.module.network
    one = network.depthwise
    assert (one.in_channels, one.out_channels, one.groups) == (3, 3, 3)
    assert (network.inner.in_channels, network.inner.out_channels) == (3, 2)
    assert network.norm.num_features == 3
    assert network.head.in_features == 3


def test_the_callers_network_and_random_numbers_are_left_alone() -> None:
    from prunegate.models.cnn import adopt

    network = Residual().train()
    before = copy.deepcopy(network.state_dict())
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    model = adopt(network, torch.zeros(4, 3, SIDE, SIDE), Residual)
    assert torch.equal(torch.rand(4), expected)
    assert network.training
    assert not model.module.training
    model.module.train()
    model.family.sites(model.module, "filters")
    assert model.module.training
    assert model.module.network.norm.training
    assert all(torch.equal(before[key], now) for key, now in network.state_dict().items())


def test_without_a_factory_the_network_is_copied() -> None:
    from prunegate.models.cnn import adopt

    model = adopt(Flattened(), torch.zeros(1, 3, SIDE, SIDE))
    kept = model.kept.narrowed("filters", [(1, 3), (0,)])
    skeleton = model.family.skeleton(model.config, kept)
    assert counted(skeleton) == model.family.parameters(model.config, kept)


def test_frozen_weights_are_followed_too() -> None:
    from prunegate.models.cnn import adopt

    network = Residual()
    network.requires_grad_(requires_grad=False)
    model = adopt(network, torch.zeros(1, 3, SIDE, SIDE))
    assert list(model.kept.counts("filters")) == ROWS[Residual]
    assert not any(weight.requires_grad for weight in model.module.parameters())
