"""GPT-2 language models of transformers (``GPT2LMHeadModel``).

Its projections are ``Conv1D``: linear layers that store their weight transposed, inputs first. One
of them makes queries, keys and values side by side, so a head lies in three sections of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from prunegate.models.arithmetic import (
    LayerSum,
    ParameterSum,
    aliased,
    config_flag,
    size,
    width_of_head,
)
from prunegate.models.family import Answers, Family, Reads
from prunegate.models.sites import InputSwitch, Part, Site, side_by_side
from prunegate.models.transformer import Stacks, Transformer

_ALIASES = {
    "hidden_size": "n_embd",
    "max_position_embeddings": "n_positions",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}
_DEFAULTS = {  # transformers' GPT2Config; config.json may leave out what equals them
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "n_positions": 1024,
    "vocab_size": 50257,
}


class GPT2(Transformer):
    """The adapter."""

    architecture = "GPT2LMHeadModel"
    reads: Reads = "texts"
    answers: Answers = "next token"
    config_class = GPT2Config
    model_class = GPT2LMHeadModel
    # The published files hold the model without its head: names begin inside ``transformer``.
    stored_names: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"^(wte|wpe|h|ln_f)\.", r"transformer.\1."),
    )
    # Causal masks, which transformers 4 stored as buffers.
    dropped_names: ClassVar[str] = r"\.attn\.(bias|masked_bias)$"

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs; gpt2 has 124,439,808.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
        """
        known = aliased(config, _ALIASES)
        sizes = _sizes(config)
        hidden, heads = sizes["n_embd"], sizes["n_head"]
        of_head = width_of_head(sizes, "n_embd", "n_head")
        tokens = sizes["vocab_size"] + sizes["n_positions"]
        untied = not config_flag(known, "tie_word_embeddings", default=True)
        layer = LayerSum(
            heads=heads,
            neurons=size(known, "n_inner", 4 * hidden),
            rest=2 * 2 * hidden + 2 * hidden,  # layer norms, output biases
            head=(4 * hidden + 3) * of_head,
            neuron=2 * hidden + 1,
        )
        return ParameterSum(
            outside=(tokens + 2 + untied * sizes["vocab_size"]) * hidden,
            layers=(layer,) * sizes["n_layer"],
        )

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two texts."""
        return self.texts(min(8, _sizes(config)["n_positions"]))

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are."""
        return ((cast("Any", module).transformer, "h"),)

    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""
        attention = layer.attn
        width = attention.head_dim
        units = attention.c_proj.nx // width

        def resized(keep: Sequence[int]) -> None:
            attention.num_heads = len(keep)
            attention.split_size = len(keep) * width

        inside = side_by_side(units, width, sections=3)
        return _site(
            name, attention.c_attn, inside, attention.c_proj, side_by_side(units, width), resized
        )

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer."""
        places = side_by_side(layer.mlp.c_proj.nx, 1)
        return _site(name, layer.mlp.c_fc, places, layer.mlp.c_proj, places)


def _site(
    name: str,
    before: Any,
    inside: Tensor,
    after: Any,
    places: Tensor,
    resized: Callable[[Sequence[int]], None] = lambda _keep: None,
) -> Site:
    """Units between two transposed projections."""
    return Site(
        name=name,
        units=len(places),
        switches=(InputSwitch(module=after, places=places),),
        parts=(
            Part(owner=before, name="weight", axis=1, places=inside),
            Part(owner=before, name="bias", axis=0, places=inside),
            Part(owner=after, name="weight", axis=0, places=places),
        ),
        resized=resized,
    )


def _sizes(config: Mapping[str, Any]) -> dict[str, int]:
    known = aliased(config, _ALIASES)
    return {name: size(known, name, default) for name, default in _DEFAULTS.items()}


FAMILY = GPT2()
FAMILIES: dict[str, Family] = {FAMILY.architecture: FAMILY}
