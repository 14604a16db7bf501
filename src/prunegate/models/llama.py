"""Language models of the Llama kind: Llama, Mistral, Qwen2, Qwen3 and Gemma 3 of transformers.

Several query heads may share one key and value head (grouped-query attention, Ainslie et al.,
EMNLP 2023). A key head cannot go while one of its query heads stays, and attention needs as many
query heads for every key head; so a unit of "heads" is a whole GROUP: one key and value head with
all query heads that read it. Sizes and ``active_heads`` count query heads, as the config does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from torch import Tensor, nn
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from prunegate.errors import ModelError
from prunegate.models.arithmetic import (
    LayerSum,
    ParameterSum,
    config_flag,
    size,
    stated_width_of_head,
)
from prunegate.models.family import Answers, Family, Reads
from prunegate.models.kept_units import KeptUnits
from prunegate.models.sites import Site, side_by_side, units_between
from prunegate.models.transformer import Stacks, Transformer


@dataclass(frozen=True, kw_only=True)
class Biases:
    """Which projections have biases."""

    inputs: bool
    """Query, key and value."""
    output: bool
    """Of attention."""
    mlp: bool


class Llama(Transformer):
    """The adapter of Llama, and the base of its twins."""

    architecture = "LlamaForCausalLM"
    reads: Reads = "texts"
    answers: Answers = "next token"
    config_class: Any = LlamaConfig
    model_class: Any = LlamaForCausalLM
    defaults: ClassVar[dict[str, int]] = {
        "hidden_size": 4096,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "intermediate_size": 11008,
        "vocab_size": 32000,
        "max_position_embeddings": 2048,
    }
    """transformers' defaults; config.json may leave out what equals them."""
    key_value_heads: int | None = None
    """The default of num_key_value_heads; None: as many as query heads."""
    default_head_dim: int | None = None
    """The default of head_dim; None: a share of hidden_size."""
    tied: bool = False
    """The default of tie_word_embeddings."""
    norms: tuple[int, int] = (2, 0)
    """Norms of a layer, over its width and over that of a head."""
    # Angles of the positions, which early files stored as buffers.
    dropped_names: ClassVar[str] = r"\.rotary_emb\.inv_freq$"

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs; a head is a group.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
        """
        sizes, biases = self.sizes(config), self.biases(config)
        hidden, width = sizes["hidden_size"], self.head_width(config)
        per_group = self.heads_per_group(config)
        untied = not config_flag(config, "tie_word_embeddings", default=self.tied)
        whole, of_heads = self.norms
        layer = LayerSum(
            heads=sizes["num_attention_heads"] // per_group,
            neurons=sizes["intermediate_size"],
            # norms have no bias
            rest=(whole + biases.output + biases.mlp) * hidden + of_heads * width,
            head=(2 * per_group + 2) * width * hidden + (per_group + 2) * width * biases.inputs,
            neuron=3 * hidden + 2 * biases.mlp,
        )
        return ParameterSum(
            outside=((1 + untied) * sizes["vocab_size"] + 1) * hidden,
            layers=(layer,) * sizes["num_hidden_layers"],
        )

    def biases(self, config: Mapping[str, Any]) -> Biases:
        """Read which projections have biases."""
        attention = config_flag(config, "attention_bias", default=False)
        mlp = config_flag(config, "mlp_bias", default=False)
        return Biases(inputs=attention, output=attention, mlp=mlp)

    def sizes(self, config: Mapping[str, Any]) -> dict[str, int]:
        """Read the sizes from the content of a config.json."""
        return {name: size(config, name, default) for name, default in self.defaults.items()}

    def head_width(self, config: Mapping[str, Any]) -> int:
        """Return the width of a head, which need not be a share of hidden_size.

        Raises:
            ModelError: it is not given and hidden_size does not divide.
        """
        if self.default_head_dim is not None:
            return size(config, "head_dim", self.default_head_dim)
        return stated_width_of_head(config, self.sizes(config))

    def heads_per_group(self, config: Mapping[str, Any]) -> int:
        """Return how many query heads share a key and a value.

        Raises:
            ModelError: heads cannot be shared out evenly.
        """
        heads = self.sizes(config)["num_attention_heads"]
        absent = heads if self.key_value_heads is None else self.key_value_heads
        given = "num_key_value_heads" in config  # as null it means: as many as query heads
        groups = size(config, "num_key_value_heads", heads if given else absent)
        if heads % groups:
            raise ModelError(
                f"config: num_attention_heads {heads} is not a multiple of num_key_value_heads "
                f"{groups}."
            )
        return heads // groups

    def active_heads(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """Count the query heads that remain."""
        return kept.active_heads * self.heads_per_group(config)

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two texts."""
        return self.texts(min(8, self.sizes(config)["max_position_embeddings"]))

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are."""
        return ((cast("Any", module).model, "layers"),)

    def heads(self, layer: Any, name: str) -> Site:
        """Return the groups of a layer; how many heads are in one does not change."""
        attention = layer.self_attn
        width = attention.head_dim
        units = attention.k_proj.out_features // width
        queries = side_by_side(units, width * attention.num_key_value_groups)
        keys = side_by_side(units, width)
        before = [(attention.q_proj, queries), (attention.k_proj, keys), (attention.v_proj, keys)]
        return units_between(name, before, attention.o_proj, queries)

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer: outputs of gate and up, inputs of down."""
        mlp = layer.mlp
        places = side_by_side(mlp.down_proj.in_features, 1)
        before = [(mlp.gate_proj, places), (mlp.up_proj, places)]

        def resized(keep: Sequence[int]) -> None:
            mlp.intermediate_size = len(keep)

        return units_between(name, before, mlp.down_proj, places, resized)


class Mistral(Llama):
    """The adapter of Mistral: no biases, and a window on the past."""

    architecture = "MistralForCausalLM"
    config_class = MistralConfig
    model_class = MistralForCausalLM
    defaults: ClassVar[dict[str, int]] = {
        **Llama.defaults,
        "intermediate_size": 14336,
        "max_position_embeddings": 4096 * 32,
    }
    key_value_heads = 8

    def biases(self, config: Mapping[str, Any]) -> Biases:  # noqa: ARG002  # Mistral has none, whatever the config says
        """Say which projections have biases."""
        return Biases(inputs=False, output=False, mlp=False)


class Qwen2(Llama):
    """The adapter of Qwen2: queries, keys and values have biases."""

    architecture = "Qwen2ForCausalLM"
    config_class = Qwen2Config
    model_class = Qwen2ForCausalLM
    defaults: ClassVar[dict[str, int]] = {
        **Llama.defaults,
        "intermediate_size": 22016,
        "vocab_size": 151936,
        "max_position_embeddings": 32768,
    }
    key_value_heads = 32

    def biases(self, config: Mapping[str, Any]) -> Biases:  # noqa: ARG002  # as the class has them, whatever the config says
        """Say which projections have biases."""
        return Biases(inputs=True, output=False, mlp=False)


class Qwen3(Llama):
    """The adapter of Qwen3: queries and keys are normalised, all heads by the same weights."""

    architecture = "Qwen3ForCausalLM"
    config_class = Qwen3Config
    model_class = Qwen3ForCausalLM
    defaults: ClassVar[dict[str, int]] = Qwen2.defaults
    key_value_heads = 32
    default_head_dim = 128
    norms = (2, 2)

    def biases(self, config: Mapping[str, Any]) -> Biases:
        """Read which projections have biases."""
        attention = config_flag(config, "attention_bias", default=False)
        return Biases(inputs=attention, output=attention, mlp=False)


class Gemma3(Qwen3):
    """The adapter of Gemma 3, the part that reads text: norms before and after each part."""

    architecture = "Gemma3ForCausalLM"
    config_class = Gemma3TextConfig
    model_class = Gemma3ForCausalLM
    defaults: ClassVar[dict[str, int]] = {
        "hidden_size": 2304,
        "num_hidden_layers": 26,
        "num_attention_heads": 8,
        "intermediate_size": 9216,
        "vocab_size": 262208,
        "max_position_embeddings": 131072,
    }
    key_value_heads = 4
    default_head_dim = 256
    tied = True
    norms = (4, 2)


FAMILIES: dict[str, Family] = {
    family.architecture: family for family in (Llama(), Mistral(), Qwen2(), Qwen3(), Gemma3())
}
