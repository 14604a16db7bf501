"""ModernBERT text classifiers of transformers (``ModernBertForSequenceClassification``).

Query, key and value come from one matrix, and so do an MLP's neurons and what gates them. Every
few layers one looks at the whole text and the others at a window; each layer keeps its kind, and
the frequencies of its positions, whatever goes before it. The first layer has one norm less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast

from torch import Tensor, nn
from transformers import ModernBertConfig, ModernBertForSequenceClassification

from prunegate.models.arithmetic import (
    LayerSum,
    ParameterSum,
    config_flag,
    labels,
    size,
    width_of_head,
)
from prunegate.models.family import Answers, Family, Reads
from prunegate.models.sites import Site, fused_between
from prunegate.models.transformer import Stacks, Transformer


class ModernBert(Transformer):
    """The adapter."""

    architecture = "ModernBertForSequenceClassification"
    reads: Reads = "texts"
    answers: Answers = "classes"
    config_class = ModernBertConfig
    model_class = ModernBertForSequenceClassification
    defaults: ClassVar[dict[str, int]] = {
        "hidden_size": 768,
        "num_hidden_layers": 22,
        "num_attention_heads": 12,
        "intermediate_size": 1152,
        "vocab_size": 50368,
        "max_position_embeddings": 8192,
    }
    """transformers' defaults; config.json may leave out what equals them."""

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs; ModernBERT base with two labels has 149,606,402.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
        """
        sizes = self.sizes(config)
        hidden, heads = sizes["hidden_size"], sizes["num_attention_heads"]
        width = width_of_head(sizes, "hidden_size", "num_attention_heads")
        of_norm, of_attention, of_mlp, of_head = (
            config_flag(config, f"{part}_bias", default=False)
            for part in ("norm", "attention", "mlp", "classifier")
        )
        norm = (1 + of_norm) * hidden
        layer = LayerSum(
            heads=heads,
            neurons=sizes["intermediate_size"],
            rest=2 * norm + (of_attention + of_mlp) * hidden,
            head=(4 * hidden + 3 * of_attention) * width,
            neuron=3 * hidden + 2 * of_mlp,
        )
        dense = (hidden + of_head) * hidden  # before the classes
        return ParameterSum(
            outside=sizes["vocab_size"] * hidden + 3 * norm + dense + labels(config) * (hidden + 1),
            layers=(
                replace(layer, rest=layer.rest - norm),
                *(layer,) * (sizes["num_hidden_layers"] - 1),
            ),
        )

    def sizes(self, config: Mapping[str, Any]) -> dict[str, int]:
        """Read the sizes from the content of a config.json."""
        return {name: size(config, name, default) for name, default in self.defaults.items()}

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two texts."""
        return self.texts(min(8, self.sizes(config)["max_position_embeddings"]))

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are."""
        return ((cast("Any", module).model, "layers"),)

    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""
        return fused_between(name, layer.attn.Wqkv, layer.attn.Wo, layer.attn.head_dim)

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer, each with what gates it."""
        return fused_between(name, layer.mlp.Wi, layer.mlp.Wo)


FAMILY = ModernBert()
FAMILIES: dict[str, Family] = {FAMILY.architecture: FAMILY}
