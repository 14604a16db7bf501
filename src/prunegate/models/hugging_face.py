"""What the adapters of transformers' classes share: building from a config, names, assertions.

Parameter names and shapes move between transformers releases. So a module is built, and then
everything that surgery relies on is asserted: every site is where it is expected, its parts consist
of its units and of nothing else, and the parameters number what arithmetic says.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from transformers.initialization import no_init_weights

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.activation import CLASSIFYING, REGRESSION, SEVERAL_LABELS
from prunegate.models.cut import cut_whole
from prunegate.models.family import Answers, Reads
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.sites import Site

# Keys of a config.json that would choose code, kernels or number formats for us.
_NOT_OURS = ("auto_map", "attn_implementation", "_attn_implementation", "dtype", "torch_dtype")
_CLASSES = ("num_labels", "id2label", "label2id")


class HuggingFace(ABC):
    """Base of the adapters; an adapter holds no state."""

    architecture: str
    reads: Reads
    answers: Answers
    config_class: Any
    model_class: Any
    stored_names: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Patterns of names in files and what the module calls them."""
    split_names: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()
    """Patterns of names of tensors that files hold side by side, and what the module calls each."""
    dropped_names: ClassVar[str] = r"(?!)"
    """Pattern of stored tensors that are no weights; by default none."""
    attention: ClassVar[str] = "sdpa"
    """transformers' name of the attention kernel."""

    @abstractmethod
    def whole(self, config: Mapping[str, Any]) -> KeptUnits:
        """Return the units of the unpruned model."""

    @abstractmethod
    def parameters(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """Count parameters from the config, without weights."""

    @abstractmethod
    def sites(self, module: nn.Module, kind: Kind) -> tuple[Site, ...]:
        """Return one site per row that is present."""

    @abstractmethod
    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return keyword arguments that the model takes, two rows."""

    def active_heads(self, config: Mapping[str, Any], kept: KeptUnits) -> int:  # noqa: ARG002  # where heads share keys, the config says how many
        """Count the attention heads that remain."""
        return kept.active_heads

    def skeleton(self, config: Mapping[str, Any], kept: KeptUnits) -> nn.Module:
        """Build the module with the kept shapes; its weights are arbitrary until loaded.

        Raises:
            ModelError: the config is refused by transformers, or modules are not where expected.
            UnsupportedError: the config asks for what is not done here.
        """
        whole = self.whole(config)
        self.refuse(config)
        module = self._build(config)
        self._assert_layout(module, whole, self.parameters(config, whole))
        cut_whole(self, module, kept)
        return module

    def refuse(self, config: Mapping[str, Any]) -> None:
        """Refuse configs whose models would not be what they seem.

        Raises:
            UnsupportedError: quantized weights, or outputs that are no classes, labels or numbers.
        """
        if config.get("quantization_config") is not None:
            raise UnsupportedError(
                "config: quantized weights (quantization_config) are not supported; "
                "give the float32 model."
            )
        if self.answers == "classes" and config.get("problem_type") not in (
            *CLASSIFYING,
            REGRESSION,
        ):
            raise UnsupportedError(
                f"config: problem_type {config['problem_type']!r} is not supported; answers are a "
                "softmax over classes (single_label_classification), a sigmoid for each label "
                f"({SEVERAL_LABELS}) or numbers ({REGRESSION})."
            )

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give stored tensors the names of the module; two tensors of one name are refused.

        Raises:
            ModelError: two tensors would have one name.
        """
        renamed: dict[str, Tensor] = {}
        for stored, tensor in state.items():
            if re.search(self.dropped_names, stored):
                continue
            for name, part in self._named(stored, tensor):
                if name in renamed:
                    raise ModelError(
                        f"weights: {name} is stored twice, the second time as {stored}."
                    )
                renamed[name] = part
        return renamed

    def _named(self, stored: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
        """What the module has in the place of a stored tensor."""
        name = stored
        for pattern, replacement in self.stored_names:
            name = re.sub(pattern, replacement, name)
        for pattern, parts in self.split_names:
            if tensor.dim() and re.search(pattern, name):
                for replacement, part in zip(parts, tensor.chunk(len(parts)), strict=False):
                    yield re.sub(pattern, replacement, name), part.contiguous()
                return
        yield name, tensor

    def _build(self, config: Mapping[str, Any]) -> nn.Module:
        # transformers makes a name for every class, also of models that know none.
        others = _NOT_OURS if self.answers == "classes" else (*_NOT_OURS, *_CLASSES)
        wanted = {key: value for key, value in config.items() if key not in others}
        try:
            settings = self.config_class.from_dict(wanted, attn_implementation=self.attention)
            # The caller's random numbers are not ours to consume; every weight is loaded later.
            with torch.random.fork_rng(devices=[]), no_init_weights():
                module = self.model_class(settings)
                module.tie_weights()  # part of the initialisation that is left out
        except Exception as error:  # transformers raises types of its own from many places
            raise ModelError(f"config: transformers refuses it: {error}") from error
        return cast("nn.Module", module.to(torch.float32).eval())

    def _assert_layout(self, module: nn.Module, whole: KeptUnits, parameters: int) -> None:
        """Fail when a transformers release moved or reshaped what surgery relies on."""
        release = (
            f"this transformers release lays out {self.architecture} differently from what "
            "prunegate knows, or config.json contradicts itself; install a release that "
            "constraints.txt names, or save the model again with save_pretrained"
        )
        try:
            for kind in whole.kinds:
                sites = self.sites(module, kind)
                if tuple(site.units for site in sites) != whole.counts(kind):
                    raise ModelError(f"{release} ({kind}).")
                for site in sites:
                    _assert_parts(site, release)
        except AttributeError as error:
            raise ModelError(f"{release} ({error}).") from error
        counted = sum(parameter.numel() for parameter in module.parameters())
        if counted != parameters:
            raise ModelError(f"{release} ({counted:,} parameters, expected {parameters:,}).")


def _assert_parts(site: Site, release: str) -> None:
    for part in site.parts:
        length = part.tensor.shape[part.axis]
        placed = part.places.flatten().sort().values
        if len(placed) != length or not torch.equal(placed, torch.arange(length)):
            raise ModelError(
                f"{release} ({site.name}: {part.name} of {type(part.owner).__name__} is "
                f"{list(part.tensor.shape)})."
            )
