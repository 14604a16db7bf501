"""Vision Transformer image classifiers of transformers (``ViTForImageClassification``).

Surgery slices the rows of q, k, v and the columns of the output projection for heads, the rows of
fc1 and the columns of fc2 for neurons. Parameter names move between transformers releases, so
every module is asserted to be where it is expected, with the shape it is expected to have. Layers
themselves stay: at least one head and one neuron remain in each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from transformers import ViTConfig, ViTForImageClassification
from transformers.initialization import no_init_weights

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.family import GateSite
from prunegate.models.kept import KINDS, Kept, Kind
from prunegate.models.vit_geometry import ViTGeometry
from prunegate.models.vit_geometry import parameters as count_parameters

# transformers 4, and save_pretrained of 5, store other names than the module has.
_STORED_NAMES = (
    (r"^vit\.encoder\.layer\.", "vit.layers."),
    (r"\.attention\.attention\.query\.", ".attention.q_proj."),
    (r"\.attention\.attention\.key\.", ".attention.k_proj."),
    (r"\.attention\.attention\.value\.", ".attention.v_proj."),
    (r"\.attention\.output\.dense\.", ".attention.o_proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"(\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
)
# Keys of a config.json that would choose code, kernels or number formats for us.
_NOT_OURS = ("auto_map", "attn_implementation", "_attn_implementation", "dtype", "torch_dtype")
_SINGLE_LABEL = (None, "single_label_classification")


class ViT:
    """The adapter; it holds no state."""

    architecture = "ViTForImageClassification"
    reads: Literal["images", "texts"] = "images"
    answers: Literal["classes", "next token"] = "classes"

    def whole(self, config: Mapping[str, Any]) -> Kept:
        """Return all heads and neurons of the config."""
        geometry = ViTGeometry.from_config(config)
        return Kept.whole(
            heads=[geometry.heads] * geometry.layers, neurons=[geometry.neurons] * geometry.layers
        )

    def parameters(
        self, config: Mapping[str, Any], heads_per_layer: Sequence[int], neurons: Sequence[int]
    ) -> int:
        """Count parameters from the config, without weights."""
        return count_parameters(config, heads_per_layer, neurons)

    def skeleton(self, config: Mapping[str, Any], kept: Kept) -> nn.Module:
        """Build the module with the kept shapes; its weights are arbitrary until loaded.

        Raises:
            ModelError: the config is refused by transformers, or modules are not where expected.
            UnsupportedError: the config asks for quantized weights or multi-label outputs.
        """
        module = self._build(config)
        whole = self.whole(config)
        self._assert_shapes(module, ViTGeometry.from_config(config), whole)
        for kind in KINDS:
            if kept.of(kind) != whole.of(kind):
                self.cut(module, kind, kept.of(kind))
        return module

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give stored tensors the names of the module; two tensors of one name are refused."""
        renamed: dict[str, Tensor] = {}
        for stored, tensor in state.items():
            name = stored
            for pattern, replacement in _STORED_NAMES:
                name = re.sub(pattern, replacement, name)
            if name in renamed:
                raise ModelError(f"weights: {name} is stored twice, the second time as {stored}.")
            renamed[name] = tensor
        return renamed

    def sites(self, module: nn.Module, kind: Kind) -> tuple[GateSite, ...]:
        """Return the output projection (heads) or fc2 (neurons) of every layer."""
        found = []
        for index, layer in enumerate(_layers(module)):
            part = layer.attention if kind == "heads" else layer.mlp
            last = part.o_proj if kind == "heads" else part.fc2
            width = part.head_dim if kind == "heads" else 1
            units = last.in_features // width
            found.append(GateSite(layer=index, module=last, units=units, width=width))
        return tuple(found)

    def unit_weights(self, module: nn.Module, kind: Kind) -> list[list[Tensor]]:
        """Per layer, the weights that go with each unit, [units, weights] each."""
        weights = []
        for site, layer in zip(self.sites(module, kind), _layers(module), strict=True):
            first, last = _projections(layer, kind)
            tensors = [part for linear in first for part in (linear.weight, linear.bias)]
            tensors.append(last.weight.t())
            weights.append([part.reshape(site.units, -1) for part in tensors if part is not None])
        return weights

    def cut(self, module: nn.Module, kind: Kind, keep: Sequence[Sequence[int]]) -> None:
        """Remove units in place.

        Args:
            module: The model; parameters are replaced, so an optimizer has to be made anew.
            kind: Heads or neurons.
            keep: Per layer, ascending positions among the units that are present, at least one.

        Raises:
            ModelError: a layer would be empty, or a position is not there.
        """
        sites = self.sites(module, kind)
        if len(keep) != len(sites):
            raise ModelError(f"surgery: {len(keep)} layers given, the model has {len(sites)}.")
        for site, left in zip(sites, keep, strict=True):
            _check_positions(site, kind, left)
        for site, layer, left in zip(sites, _layers(module), keep, strict=True):
            _cut_layer(layer, kind, site, left)

    def _build(self, config: Mapping[str, Any]) -> nn.Module:
        if config.get("quantization_config") is not None:
            raise UnsupportedError(
                "config: quantized weights (quantization_config) are not supported; "
                "give the float32 model."
            )
        if config.get("problem_type") not in _SINGLE_LABEL:
            raise UnsupportedError(
                f"config: problem_type {config['problem_type']!r} is not supported; scores are a "
                "softmax over classes, so single_label_classification is."
            )
        wanted = {key: value for key, value in config.items() if key not in _NOT_OURS}
        try:
            settings = ViTConfig.from_dict(wanted, attn_implementation="sdpa")
            # The caller's random numbers are not ours to consume; every weight is loaded later.
            with torch.random.fork_rng(devices=[]), no_init_weights():
                module = ViTForImageClassification(settings)
        except Exception as error:  # transformers raises types of its own from many places
            raise ModelError(f"config: transformers refuses it: {error}") from error
        return cast("nn.Module", module.to(torch.float32).eval())

    def _assert_shapes(self, module: nn.Module, geometry: ViTGeometry, kept: Kept) -> None:
        """Fail when a transformers release moved or reshaped what surgery relies on."""
        try:
            shapes = [
                (site.units, site.width, site.module.out_features)
                for kind in KINDS
                for site in self.sites(module, kind)
            ]
            counted = sum(parameter.numel() for parameter in module.parameters())
        except AttributeError as error:
            raise ModelError(f"{_RELEASE} ({error}).") from error
        expected = [(heads, geometry.head_dim, geometry.hidden) for heads in kept.counts("heads")]
        expected += [(neurons, 1, geometry.hidden) for neurons in kept.counts("neurons")]
        arithmetic = geometry.parameters(kept.counts("heads"), kept.counts("neurons"))
        if shapes != expected or counted != arithmetic:
            raise ModelError(f"{_RELEASE} ({counted:,} parameters, expected {arithmetic:,}).")


_RELEASE = (
    "this transformers release lays out ViTForImageClassification differently from what prunegate "
    "knows; install a release that constraints.txt names"
)

FAMILY = ViT()


def _layers(module: nn.Module) -> list[Any]:
    return list(cast("Any", module).vit.layers)


def _projections(layer: Any, kind: Kind) -> tuple[list[nn.Linear], nn.Linear]:
    if kind == "neurons":
        return [layer.mlp.fc1], layer.mlp.fc2
    attention = layer.attention
    return [attention.q_proj, attention.k_proj, attention.v_proj], attention.o_proj


def _check_positions(site: GateSite, kind: Kind, left: Sequence[int]) -> None:
    ascending = all(a < b for a, b in pairwise(left))
    if not left or not ascending or left[0] < 0 or left[-1] >= site.units:
        raise ModelError(
            f"surgery: {kind} of layer {site.layer}: keep at least one, by ascending positions "
            f"from 0 to {site.units - 1}, each once."
        )


def _cut_layer(layer: Any, kind: Kind, site: GateSite, left: Sequence[int]) -> None:
    first, last = _projections(layer, kind)
    starts = torch.tensor(list(left), device=last.weight.device) * site.width
    features = (starts[:, None] + torch.arange(site.width, device=starts.device)).flatten()
    for linear in first:
        linear.weight = _slice(linear.weight, 0, features)
        if linear.bias is not None:
            linear.bias = _slice(linear.bias, 0, features)
        linear.out_features = len(features)
    last.weight = _slice(last.weight, 1, features)
    last.in_features = len(features)
    if kind == "heads":
        layer.attention.num_attention_heads = len(left)


def _slice(parameter: Tensor, axis: int, features: Tensor) -> nn.Parameter:
    kept = parameter.detach().index_select(axis, features).contiguous()
    return nn.Parameter(kept, requires_grad=parameter.requires_grad)
