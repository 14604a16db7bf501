"""Networks of your own: any plain torch CNN in memory, pruned by its filters.

No class is built from a file here: the network comes from Python, and so does the factory that
builds it again when a candidate is loaded. A folder alone is refused, with what to do. What cannot
be followed or cut exactly is refused when the network is adopted, not when it is judged.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import ImageClassifierOutput

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.candidate_module import Provenance
from prunegate.models.cnn_graph import filter_sites
from prunegate.models.cut import cut, cut_whole
from prunegate.models.family import OWN_CLASS
from prunegate.models.gates import gated
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.load import LoadedModel, read_candidate
from prunegate.models.own_class import OwnClass
from prunegate.models.sites import Site
from prunegate.models.surgery import SURGERY_FILE
from prunegate.models.surgery_json import from_json
from prunegate.models.weights import weights_sha256, write_weights

Build = Callable[[], nn.Module]
_MOST_PIXELS = 1 << 26  # of an example input; keeps hostile numbers out of allocations


class Called(nn.Module):
    """A network, called as transformers' image classifiers are."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixel_values: Tensor) -> ImageClassifierOutput:
        """Return the logits, [B, classes]."""
        return ImageClassifierOutput(logits=self.network(pixel_values))


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """A parameter of the unpruned network."""

    sizes: tuple[int, ...]
    rows: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """Axis to the rows that lie along it, each with its entries per unit."""

    def count(self, removed: Sequence[int]) -> int:
        """Count its numbers when so many units of each row are gone."""
        total = 1
        for axis, size in enumerate(self.sizes):
            total *= size - sum(removed[row] * width for row, width in self.rows.get(axis, []))
        return total


class OwnNetwork(OwnClass):
    """The adapter of one network, whose factory is known."""

    def __init__(self, build: Build, shape: Sequence[int]) -> None:
        """Trace the network.

        Args:
            build: Makes the unpruned network, with any weights.
            shape: Of one input: channels, height, width.

        Raises:
            UnsupportedError: the network cannot be followed, or has no filters that can go.
        """
        self.build, self.shape = build, tuple(shape)
        module = self._built()
        sites = self.sites(module, "filters")
        if not sites:
            raise UnsupportedError("the network has no convolution inside whose filters can go.")
        self.shapes = _shapes(module, sites)
        whole = sum(shape.count([0] * len(sites)) for shape in self.shapes)
        self.config: dict[str, Any] = {
            "architectures": [OWN_CLASS],
            "input": list(self.shape),
            "filters": [site.units for site in sites],
            "parameters": whole,
        }

    def whole(self, config: Mapping[str, Any]) -> KeptUnits:
        """Return the units of the unpruned network."""
        return KeptUnits.whole({"filters": config["filters"]})

    def parameters(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """Count parameters from shapes."""
        counts = zip(config["filters"], kept.counts("filters"), strict=True)
        removed = [units - left for units, left in counts]
        return sum(shape.count(removed) for shape in self.shapes)

    def skeleton(self, config: Mapping[str, Any], kept: KeptUnits) -> nn.Module:
        """Build the network and cut it.

        Raises:
            ModelError: the factory makes another network than it made before.
        """
        module = self._built()
        if [site.units for site in self.sites(module, "filters")] != config["filters"]:
            raise ModelError("build() makes another network than the one that was pruned.")
        cut_whole(self, module, kept)
        return module

    def sites(self, module: nn.Module, kind: Kind) -> tuple[Site, ...]:
        """Return one site per group of filters."""
        if kind != "filters":
            return ()
        example = torch.zeros(2, *self.shape)
        return filter_sites(cast("nn.Module", cast("Any", module).network), example)

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:  # noqa: ARG002  # the shape is known
        """Return two black images."""
        return {"pixel_values": torch.zeros(2, *self.shape)}

    def _built(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers are not ours
            module = Called(self.build())
        for name, tensor in module.state_dict().items():
            if tensor.dtype not in (torch.float32, torch.int64):  # BatchNorm counts in int64
                raise UnsupportedError(
                    f"{name} is {tensor.dtype}; only float32 networks are supported: call "
                    "model.float()."
                )
        return module.eval()


def adopt(network: nn.Module, example: Tensor, build: Build | None = None) -> LoadedModel:
    """Make a network of your own a baseline that ``compress`` takes.

    What the network computes with filters switched off is compared with what it computes when they
    are cut out, on random inputs, so that a network that mixes channels in a way that tracing does
    not see is refused here.

    Args:
        network: A classifier on the CPU: takes float32 [B, C, H, W], returns [B, classes]. It is
            copied.
        example: One input or more, [B, C, H, W]; only its shape matters.
        build: Makes such a network again, with any weights; by default the network is copied.

    Raises:
        UnsupportedError: it cannot be followed or cut exactly, or the extra "cnn" is missing.
        ModelError: build makes another network, or weights are NaN.
    """
    if example.dim() != 4:
        raise UnsupportedError(f"example has {example.dim()} axes; give images, [B, C, H, W].")
    own = copy.deepcopy(network)
    family = OwnNetwork(build or (lambda: copy.deepcopy(own)), example.shape[1:])
    module = Called(own).eval()
    _same_network(family, module)
    _require_exact(family, module)
    kept = family.whole(family.config)
    return LoadedModel(
        module=module,
        family=family,
        config=family.config,
        preprocessor={},
        kept=kept,
        digest=weights_sha256(module),
        parameters=family.parameters(family.config, kept),
        active_heads=0,
        model_bytes=len(write_weights(module)),
        folder=Path("in memory"),
    )


def load_cnn(folder: Path, build: Build) -> LoadedModel:
    """Load a candidate that was made from a network of your own: bit-exact and trainable.

    Its module can be trained further and saved with ``prunegate.save_candidate``.

    Args:
        folder: As ``save_candidate`` wrote it.
        build: Makes the unpruned network, with any weights.

    Raises:
        ModelError: the folder holds another model, or build makes another network.
        UnsupportedError: the network cannot be followed, or the extra "cnn" is missing.
    """
    path = folder / SURGERY_FILE
    try:
        surgery = from_json(path.read_bytes(), str(path))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from error
    if surgery.architecture != OWN_CLASS:
        raise ModelError(
            f"{path}: a {surgery.architecture}; load it with prunegate.load_candidate(folder)."
        )
    family = OwnNetwork(build, _input(surgery.config, path))
    if family.config != dict(surgery.config):
        raise ModelError(
            f"{path}: build() makes another network than the one that was pruned (its filters or "
            "parameters differ); give the factory of the unpruned network."
        )
    loaded = read_candidate(folder, family)
    loaded.module.prunegate = Provenance(surgery=surgery, folder=folder)  # type: ignore[assignment]  # no module, a note on one
    return loaded


def _input(config: Mapping[str, Any], path: Path) -> list[int]:
    shape = config.get("input")
    if (
        not isinstance(shape, list)
        or len(shape) != 3
        or not all(type(size) is int and size > 0 for size in shape)
        or shape[0] * shape[1] * shape[2] > _MOST_PIXELS
    ):
        raise ModelError(f"{path}: config: input is {shape!r}; expected channels, height, width.")
    return shape


def _shapes(module: nn.Module, sites: Sequence[Site]) -> list[_Shape]:
    shapes = {id(weight): _Shape(sizes=tuple(weight.shape)) for weight in module.parameters()}
    for row, site in enumerate(sites):
        for part in site.parts:
            if isinstance(part.tensor, nn.Parameter):
                along = shapes[id(part.tensor)].rows.setdefault(part.axis, [])
                along.append((row, part.places.shape[1]))
    return list(shapes.values())


def _same_network(family: OwnNetwork, module: nn.Module) -> None:
    again = family.skeleton(family.config, family.whole(family.config))
    own, other = module.state_dict(), again.state_dict()
    if {name: tensor.shape for name, tensor in own.items()} != {
        name: tensor.shape for name, tensor in other.items()
    }:
        raise ModelError("build() makes another network than the one given; their weights differ.")


def _require_exact(family: OwnNetwork, module: nn.Module) -> None:
    """Compare gated with cut on random inputs, with every second filter gone."""
    pruned = copy.deepcopy(module)
    sites = family.sites(module, "filters")
    keep = [tuple(range(0, site.units, 2)) for site in sites]
    gates = [torch.arange(site.units).remainder(2).eq(0).float() for site in sites]
    inputs = torch.randn(2, *family.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        with gated(sites, gates):
            expected = module(pixel_values=inputs).logits
        if not isinstance(expected, Tensor) or expected.dim() != 2:
            raise UnsupportedError("the network has to return one tensor of logits, [B, classes].")
        try:
            cut(family, pruned, "filters", keep)
            got = pruned(pixel_values=inputs).logits
        except (RuntimeError, ValueError, IndexError) as error:
            raise UnsupportedError(
                f"the network fails when filters are taken out ({error}); sizes that are written "
                "into its forward pass have to follow its inputs."
            ) from error
    scale = max(1.0, float(expected.abs().max()))
    if got.shape != expected.shape or not torch.allclose(got, expected, atol=1e-4 * scale):
        raise UnsupportedError(
            "the network computes something else when filters are taken out than when they are "
            "switched off: it mixes channels in a way that cannot be followed."
        )
