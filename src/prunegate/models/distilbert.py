"""DistilBERT text classifiers of transformers (``DistilBertForSequenceClassification``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from torch import Tensor, nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from prunegate.models.arithmetic import LayerSum, ParameterSum, aliased, labels, size, width_of_head
from prunegate.models.family import Answers, Family, Reads
from prunegate.models.sites import Site, side_by_side, units_between
from prunegate.models.transformer import Stacks, Transformer

_ALIASES = {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"}
_DEFAULTS = {  # transformers' DistilBertConfig; config.json may leave out what equals them
    "dim": 768,
    "n_layers": 6,
    "n_heads": 12,
    "hidden_dim": 3072,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
}


class DistilBert(Transformer):
    """The adapter."""

    architecture = "DistilBertForSequenceClassification"
    reads: Reads = "texts"
    answers: Answers = "classes"
    config_class = DistilBertConfig
    model_class = DistilBertForSequenceClassification
    dropped_names: ClassVar[str] = r"\.embeddings\.position_ids$"  # of transformers before 4.31

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs; distilbert-base with two labels has 66,955,010.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
        """
        sizes = _sizes(config)
        hidden, heads = sizes["dim"], sizes["n_heads"]
        of_head = width_of_head(sizes, "dim", "n_heads")
        tokens = sizes["vocab_size"] + sizes["max_position_embeddings"]
        dense = hidden * (hidden + 1)  # before the classes
        layer = LayerSum(
            heads=heads,
            neurons=sizes["hidden_dim"],
            rest=2 * 2 * hidden + 2 * hidden,  # layer norms, output biases
            head=(4 * hidden + 3) * of_head,
            neuron=2 * hidden + 1,
        )
        return ParameterSum(
            outside=(tokens + 2) * hidden + dense + labels(config) * (hidden + 1),
            layers=(layer,) * sizes["n_layers"],
        )

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two texts."""
        return self.texts(min(8, _sizes(config)["max_position_embeddings"]))

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are."""
        return ((cast("Any", module).distilbert.transformer, "layer"),)

    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""
        attention = layer.attention
        width = attention.attention_head_size
        places = side_by_side(attention.out_lin.in_features // width, width)

        def resized(keep: Sequence[int]) -> None:
            attention.n_heads = len(keep)

        before = [
            (linear, places) for linear in (attention.q_lin, attention.k_lin, attention.v_lin)
        ]
        return units_between(name, before, attention.out_lin, places, resized)

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer."""
        places = side_by_side(layer.ffn.lin2.in_features, 1)
        return units_between(name, [(layer.ffn.lin1, places)], layer.ffn.lin2, places)

    def _drop(self, module: nn.Module, keep: Sequence[int]) -> None:
        super()._drop(module, keep)
        cast("Any", module).distilbert.transformer.n_layers = len(keep)


def _sizes(config: Mapping[str, Any]) -> dict[str, int]:
    known = aliased(config, _ALIASES)
    return {name: size(known, name, default) for name, default in _DEFAULTS.items()}


FAMILY = DistilBert()
FAMILIES: dict[str, Family] = {FAMILY.architecture: FAMILY}
