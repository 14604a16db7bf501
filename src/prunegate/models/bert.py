"""Text classifiers of the BERT kind: BERT, RoBERTa and ELECTRA of transformers.

Their layers are the same modules under other names; they differ in embeddings and in the head on
top, which both stay whole: BERT's pooler, RoBERTa's and ELECTRA's dense layer before the classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from prunegate.errors import UnsupportedError
from prunegate.models.arithmetic import (
    LayerSum,
    ParameterSum,
    config_flag,
    labels,
    size,
    width_of_head,
)
from prunegate.models.family import Answers, Family, Reads
from prunegate.models.sites import Site, side_by_side, units_between
from prunegate.models.transformer import Stacks, Transformer

_EXAMPLE = 8  # tokens


class Bert(Transformer):
    """The adapter of BERT, and the base of its twins."""

    architecture = "BertForSequenceClassification"
    reads: Reads = "texts"
    answers: Answers = "classes"
    config_class: Any = BertConfig
    model_class: Any = BertForSequenceClassification
    encoder = "bert"
    """The attribute of the module that holds embeddings and layers."""
    defaults: ClassVar[dict[str, int]] = {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    }
    """transformers' defaults; config.json may leave out what equals them."""
    # Names in files that were converted from TensorFlow.
    stored_names: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"LayerNorm\.gamma$", "LayerNorm.weight"),
        (r"LayerNorm\.beta$", "LayerNorm.bias"),
    )
    dropped_names: ClassVar[str] = r"\.embeddings\.position_ids$"  # of transformers before 4.31

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs; bert-base-uncased with two labels has 109,483,778.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
        """
        sizes = self.sizes(config)
        hidden, heads = sizes["hidden_size"], sizes["num_attention_heads"]
        of_head = width_of_head(sizes, "hidden_size", "num_attention_heads")
        width = self.embedding_width(config)
        tokens = sizes["vocab_size"] + sizes["max_position_embeddings"] + sizes["type_vocab_size"]
        wider = width * hidden + hidden if width != hidden else 0
        dense = hidden * (hidden + 1)  # the pooler, or the head's own layer
        layer = LayerSum(
            heads=heads,
            neurons=sizes["intermediate_size"],
            rest=2 * 2 * hidden + 2 * hidden,  # layer norms, output biases
            head=(4 * hidden + 3) * of_head,
            neuron=2 * hidden + 1,
        )
        return ParameterSum(
            outside=(tokens + 2) * width + wider + dense + labels(config) * (hidden + 1),
            layers=(layer,) * sizes["num_hidden_layers"],
        )

    def sizes(self, config: Mapping[str, Any]) -> dict[str, int]:
        """Read the sizes from the content of a config.json."""
        return {name: size(config, name, default) for name, default in self.defaults.items()}

    def embedding_width(self, config: Mapping[str, Any]) -> int:
        """Return how wide token embeddings are."""
        return self.sizes(config)["hidden_size"]

    def refuse(self, config: Mapping[str, Any]) -> None:
        """Refuse decoders, which look at the past only.

        Raises:
            UnsupportedError: is_decoder, or what no adapter does.
        """
        super().refuse(config)
        if config_flag(config, "is_decoder", default=False):
            raise UnsupportedError(
                "config: is_decoder is true; only encoders can be loaded as classifiers."
            )

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two texts."""
        return self.texts(min(_EXAMPLE, self.sizes(config)["max_position_embeddings"]))

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are."""
        return ((cast("Any", getattr(module, self.encoder)).encoder, "layer"),)

    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""
        attention, output = layer.attention.self, layer.attention.output.dense
        width = attention.attention_head_size
        places = side_by_side(output.in_features // width, width)

        def resized(keep: Sequence[int]) -> None:
            attention.num_attention_heads = len(keep)
            attention.all_head_size = len(keep) * width

        before = [(linear, places) for linear in (attention.query, attention.key, attention.value)]
        return units_between(name, before, output, places, resized)

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer."""
        places = side_by_side(layer.output.dense.in_features, 1)
        return units_between(name, [(layer.intermediate.dense, places)], layer.output.dense, places)


class Roberta(Bert):
    """The adapter of RoBERTa, whose positions count from the padding token's number on."""

    architecture = "RobertaForSequenceClassification"
    config_class = RobertaConfig
    model_class = RobertaForSequenceClassification
    encoder = "roberta"
    defaults: ClassVar[dict[str, int]] = {**Bert.defaults, "vocab_size": 50265}

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two texts."""
        padding = config.get("pad_token_id", 1) or 0
        room = self.sizes(config)["max_position_embeddings"] - padding - 1
        return self.texts(max(1, min(_EXAMPLE, room)))


class Electra(Bert):
    """The adapter of ELECTRA, whose token embeddings may be narrower than its layers."""

    architecture = "ElectraForSequenceClassification"
    config_class = ElectraConfig
    model_class = ElectraForSequenceClassification
    encoder = "electra"
    defaults: ClassVar[dict[str, int]] = {
        **Bert.defaults,
        "hidden_size": 256,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
    }

    def embedding_width(self, config: Mapping[str, Any]) -> int:
        """Return how wide token embeddings are."""
        return size(config, "embedding_size", 128)


FAMILIES: dict[str, Family] = {
    family.architecture: family for family in (Bert(), Roberta(), Electra())
}
