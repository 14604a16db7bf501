"""Architecture families: what prunegate has to know of a model class to take parts out of it.

One adapter file per family; the registry is the allow-list of classes that may be built from a
folder. No class is ever looked up by a name that a file chose, and a family that is not here is
refused with the list of those that are: cutting an unknown architecture by guesswork produces
models that run and are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from prunegate.errors import UnsupportedError
from prunegate.models.kept_units import KeptUnits, Kind

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prunegate.models.sites import Site

Reads = Literal["images", "texts", "tensors"]
"""Tensors: the caller prepares the inputs, as of a network of their own."""
Answers = Literal["classes", "next token"]

OWN_CLASS = "torch.nn.Module"
"""Stands in a manifest for a class that came from Python, and that no folder can name."""

_FAMILIES = {
    "BertForSequenceClassification": "prunegate.models.bert",
    "DeiTForImageClassification": "prunegate.models.deit",
    "DeiTForImageClassificationWithTeacher": "prunegate.models.deit",
    "Dinov2ForImageClassification": "prunegate.models.dinov2",
    "DistilBertForSequenceClassification": "prunegate.models.distilbert",
    "ElectraForSequenceClassification": "prunegate.models.bert",
    "GPT2LMHeadModel": "prunegate.models.gpt2",
    "Gemma3ForCausalLM": "prunegate.models.llama",
    "LlamaForCausalLM": "prunegate.models.llama",
    "MistralForCausalLM": "prunegate.models.llama",
    "ModernBertForSequenceClassification": "prunegate.models.modernbert",
    "Qwen2ForCausalLM": "prunegate.models.llama",
    "Qwen3ForCausalLM": "prunegate.models.llama",
    "ResNetForImageClassification": "prunegate.models.resnet",
    "RobertaForSequenceClassification": "prunegate.models.bert",
    "SwinForImageClassification": "prunegate.models.swin",
    "Swinv2ForImageClassification": "prunegate.models.swin",
    "ViTForImageClassification": "prunegate.models.vit",
    OWN_CLASS: "prunegate.models.own_class",  # which refuses to build it
}


class Family(Protocol):
    """An adapter between prunegate and one model class."""

    architecture: str
    """Name of the Hugging Face class, as in config.json ``architectures``."""
    reads: Reads
    """What it is called with: pixel_values, or input_ids and attention_mask."""
    answers: Answers
    """What its logits are about: [B, classes], or [B, T, tokens]."""

    def whole(self, config: Mapping[str, Any]) -> KeptUnits:
        """Return the units of the unpruned model; its kinds are those that can be pruned."""
        ...

    def parameters(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """Count parameters from the config, without weights."""
        ...

    def active_heads(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """Count the attention heads (of queries) that remain; 0 where there is no attention."""
        ...

    def skeleton(self, config: Mapping[str, Any], kept: KeptUnits) -> nn.Module:
        """Build the module with the kept shapes; its weights are arbitrary."""
        ...

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give stored tensors the names of the installed release."""
        ...

    def sites(self, module: nn.Module, kind: Kind) -> tuple[Site, ...]:
        """Return one site per row that is present."""
        ...

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return keyword arguments that the model takes, two rows of zeros or ones."""
        ...


def architectures() -> tuple[str, ...]:
    """Name every model class that can be loaded from a folder and pruned."""
    return tuple(sorted(_FAMILIES.keys() - {OWN_CLASS}))


def family_of(architecture: object) -> Family:
    """Return the adapter for a model class.

    Raises:
        UnsupportedError: the class is not on the allow-list.
    """
    if not isinstance(architecture, str) or architecture not in _FAMILIES:
        known = ", ".join(architectures())
        raise UnsupportedError(
            f"model class {architecture!r} is not supported; this version can load and prune: "
            f"{known}. Other models can be judged from predictions (prunegate gate)."
        )
    module = import_module(_FAMILIES[architecture])
    return cast("Family", module.FAMILIES[architecture])


def require_kind(family: Family, whole: KeptUnits, what: str) -> None:
    """Refuse to prune what an architecture does not have.

    Raises:
        UnsupportedError: no such units; the message lists those that there are.
    """
    if what not in whole.kinds:
        raise UnsupportedError(
            f"{family.architecture} has no {what} that can be pruned; it has: "
            f"{', '.join(whole.kinds)}."
        )
