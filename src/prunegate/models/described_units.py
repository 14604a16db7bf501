"""Described units: what a model folder's few kilobytes say of its heads, neurons and layers.

An adapter knows all of its family's units, and imports a model library to do so. Here stands what a
recipe's amounts are reckoned with before any is loaded. What is not said, or said in a way that an
adapter refuses, is left out: the loaded model tells. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prunegate.errors import ModelError
from prunegate.models.arithmetic import positive
from prunegate.models.config_json import read_object
from prunegate.models.digest import hub_snapshot
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.surgery import SURGERY_FILE
from prunegate.models.surgery_json import from_json


@dataclass(frozen=True, kw_only=True)
class _Names:
    """What a config.json calls the sizes of equal layers, and transformers' defaults.

    A default of None: it hangs on other sizes, so that only what is there is told.
    """

    layers: tuple[str, ...] = ("num_hidden_layers",)
    heads: tuple[str, ...] = ("num_attention_heads",)
    neurons: tuple[str, ...] = ("intermediate_size",)
    defaults: tuple[int, int | None, int | None] = (12, 12, 3072)
    """Of layers, heads and neurons."""


def _grouped(layers: int, neurons: int) -> _Names:
    """Heads that share keys go by the group."""
    return _Names(heads=("num_key_value_heads",), defaults=(layers, None, neurons))


_NAMES = {
    "BertForSequenceClassification": _Names(),
    "DeiTForImageClassification": _Names(),
    "DeiTForImageClassificationWithTeacher": _Names(),
    "Dinov2ForImageClassification": _Names(neurons=(), defaults=(12, 12, None)),
    "DistilBertForSequenceClassification": _Names(
        layers=("n_layers", "num_hidden_layers"),
        heads=("n_heads", "num_attention_heads"),
        neurons=("hidden_dim",),
        defaults=(6, 12, 3072),
    ),
    "ElectraForSequenceClassification": _Names(defaults=(12, 4, 1024)),
    "GPT2LMHeadModel": _Names(
        layers=("n_layer", "num_hidden_layers"),
        heads=("n_head", "num_attention_heads"),
        neurons=("n_inner",),
        defaults=(12, 12, None),
    ),
    "Gemma3ForCausalLM": _grouped(26, 9216),
    "LlamaForCausalLM": _grouped(32, 11008),
    "MistralForCausalLM": _grouped(32, 14336),
    "ModernBertForSequenceClassification": _Names(defaults=(22, 12, 1152)),
    "Qwen2ForCausalLM": _grouped(32, 22016),
    "Qwen3ForCausalLM": _grouped(32, 22016),
    "RobertaForSequenceClassification": _Names(),
    "ViTForImageClassification": _Names(),
}
"""Classes whose layers are alike; stages of layers and filters are told by the loaded model."""


def units_in(place: Path) -> KeptUnits | None:
    """The units of a model folder as its descriptions tell; None: they do not.

    Args:
        place: a folder of transformers, or a candidate of ours.
    """
    place = hub_snapshot(place)
    try:
        if (place / SURGERY_FILE).is_file():
            return from_json((place / SURGERY_FILE).read_bytes()).kept
        config = place / "config.json"
        return units_of(read_object(config)) if config.is_file() else None
    except (ModelError, OSError):  # told in full where the model is loaded
        return None


def units_of(config: Mapping[str, Any]) -> KeptUnits | None:
    """The units of an unpruned model by the content of its config.json.

    Kinds that it does not tell are absent.

    Raises:
        ModelError: a size is missing its type or out of range.

    >>> units_of({"architectures": ["BertForSequenceClassification"]}).total("heads")
    144
    """
    classes = config.get("architectures")
    name = classes[0] if isinstance(classes, list) and len(classes) == 1 else None
    if not isinstance(name, str) or name not in _NAMES:
        return None
    names, (layers, heads, neurons) = _NAMES[name], _NAMES[name].defaults
    count = _said(config, names.layers, layers) or 0
    found: dict[Kind, int | None] = {
        "heads": _said(config, names.heads, heads),
        "neurons": _said(config, names.neurons, neurons),
    }
    rows: dict[Kind, list[int]] = {
        kind: [units] * count for kind, units in found.items() if units is not None
    }
    return KeptUnits.whole({**rows, "layers": [count]})


def _said(config: Mapping[str, Any], names: tuple[str, ...], default: int | None) -> int | None:
    given = next((name for name in names if config.get(name) is not None), None)
    return default if given is None else positive(config[given], given)
