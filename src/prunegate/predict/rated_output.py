"""The output of a scoring model that is a rating: which one it is, and what its numbers are.

It follows from the scorer's config.json and the policy alone, so that a scorer which cannot rate is
refused before anything is loaded. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prunegate.data.predictions.columns import shown
from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.activation import Activation, activation_of
from prunegate.models.config_json import read_object
from prunegate.models.refusals import CONFIG_FILE, class_name, refuse_early
from prunegate.models.surgery import SURGERY_FILE
from prunegate.policy.naming import value_text
from prunegate.policy.quality import Quality
from prunegate.predict.classes import outputs_named

_RATES = "ForSequenceClassification"
"""What the names of transformers' classes contain that read a text and answer with numbers."""
_TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, kw_only=True)
class RatedOutput:
    """One output of a scoring model."""

    place: int
    """Its number."""
    name: str
    alone: bool
    """Whether it is the only one."""
    activation: Activation
    """What makes ratings from 0 to 1 of it; none: its numbers are the ratings."""


def refuse_scorer(folder: Path, asked: Quality, *, pickles: bool = False) -> RatedOutput:
    """The output that rates, or a refusal of a scorer for what its descriptions say.

    Args:
        folder: of the scorer.
        asked: what the policy says of it.
        pickles: whether its weights may be read from one.

    Raises:
        ModelError: files are missing or malformed, or no single output is the rating.
        UnsupportedError: it is no text classifier or regressor of transformers.
    """
    if (folder / SURGERY_FILE).exists() or folder.is_file():
        raise UnsupportedError(
            f"{folder}: a scorer is a Hugging Face folder of a text classifier or regressor, not a "
            "pruned candidate or an ONNX file; give the folder that save_pretrained wrote"
        )
    refuse_early(folder, regressors=True, pickles=pickles)
    place = folder / CONFIG_FILE
    if not place.is_file():
        raise UnsupportedError(
            f"{folder}: a scorer is read from safetensors, not from ONNX; give the folder that "
            "save_pretrained wrote"
        )
    config = read_object(place)
    name = class_name(config, place)
    if _RATES not in name:
        raise UnsupportedError(
            f"{folder}: a {name} rates no texts; a scorer is a text classifier or regressor "
            f"(...{_RATES})"
        )
    if not (folder / _TOKENIZER).is_file():
        raise ModelError(
            f"{folder}: {_TOKENIZER} is missing; texts need it. Write it with "
            "AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER)"
        )
    return rated_output(config, asked, folder)


def rated_output(config: Mapping[str, Any], asked: Quality, folder: Path) -> RatedOutput:
    """The output of a scorer that is the rating, by its config.

    Raises:
        ModelError: there are several and none is named, the named one is not there, or nothing
            bounds its numbers.
    """
    names = outputs_named(config)
    regressor = config.get("problem_type") == "regression"
    alone = len(names) == 1
    chosen = _chosen(names, asked, folder)
    if asked.range is not None:
        if len(names) > 1 and not regressor:
            raise ModelError(
                f"{folder}: a classifier's rating is a probability, from 0 to 1; remove 'range' "
                "from 'quality:'"
            )
        return RatedOutput(place=chosen, name=names[chosen], alone=alone, activation="none")
    if asked.activation is None and (regressor or len(names) == 1):
        raise ModelError(
            f"{folder}: answers with a number that nothing bounds; say which there can be: "
            "'quality: {range: [smallest, largest]}', or 'activation: sigmoid', which makes "
            "ratings from 0 to 1 of it"
        )
    activation = asked.activation or activation_of(config)
    if activation == "softmax" and len(names) == 1:
        raise ModelError(
            f"{folder}: has one output, whose softmax is 1 for every text; say 'activation: "
            "sigmoid' under 'quality:'"
        )
    return RatedOutput(place=chosen, name=names[chosen], alone=alone, activation=activation)


def _chosen(names: tuple[str, ...], asked: Quality, folder: Path) -> int:
    some = ", ".join(map(shown, names[:20]))
    if asked.output is None:
        if len(names) == 1:
            return 0
        raise ModelError(
            f"{folder}: has {len(names)} outputs ({some}); say which one is the rating: 'quality: "
            "{scorer: .., output: NAME}'"
        )
    wanted = value_text(asked.output)
    if names.count(wanted) != 1:
        raise ModelError(
            f"{folder}: has no output {shown(wanted)}; it has {some} (id2label in config.json). "
            "Correct 'quality: output:'"
        )
    return names.index(wanted)
