"""Description: edge.json, all that a page needs to know of the model beside it to score.

It names the candidate by digest, what happens to a picture or text before the model sees it, what
the model's numbers mean, and the decision that people are shown. Nothing is left to the page's
judgement, and what a page cannot do as it is done here is refused by name. The same candidate gives
the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import PIL
import torch

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.activation import SEVERAL_LABELS
from prunegate.models.foreign_onnx import ForeignOnnx
from prunegate.models.load import LoadedModel
from prunegate.models.onnx_module import OnnxModule
from prunegate.predict.classes import class_names
from prunegate.predict.material import require_preprocessor
from prunegate.predict.preprocessing import Preprocessing, understands
from prunegate.predict.tokens import Tokens

FORMAT = "urn:prunegate:edge:v1"
_OUTPUT = "logits"
_TALL_FIRST = 13
"""The first Pillow that resizes tall images along their height first (``pixels.js``)."""


@dataclass(frozen=True, kw_only=True)
class ShownDecision:
    """What a page says of a picture beside its scores."""

    kind: Literal["positive", "likeliest", "each"]
    """Whether one class reaches its threshold; which class is likeliest; which classes of several
    reach theirs."""
    thresholds: Mapping[str, float]
    """By class, of those that are decided about; empty: the likeliest."""


@dataclass(frozen=True, kw_only=True)
class PictureInput:
    """How a graph is given a picture."""

    reads: Literal["images"] = "images"
    name: str
    """Of its input."""
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: Literal["RGB", "BGR"] = "RGB"


@dataclass(frozen=True, kw_only=True)
class TextInput:
    """How a graph is given a text."""

    reads: Literal["texts"] = "texts"
    names: Mapping[str, str]
    """Of its inputs, by what they are: input_ids, attention_mask, token_type_ids."""
    type: Literal["int64", "int32"] = "int64"
    length: int | None = None
    """Tokens that every text is filled up to; None: texts are of any length."""


def require_classifier(model: LoadedModel) -> None:
    """Insist that a model sorts pictures or texts into classes.

    Raises:
        UnsupportedError: it answers otherwise.
    """
    family = model.family
    if family.reads not in ("images", "texts") or family.answers != "classes":
        raise UnsupportedError(
            f"{model.place}: reads {family.reads} and answers with {family.answers}; a page is "
            "made for classifiers of images or texts. Score it on a server"
        )


def input_of(model: LoadedModel, graph: OnnxModule) -> PictureInput | TextInput:
    """Say how a graph is called with one row at a time.

    Args:
        model: as it was opened.
        graph: what will run.

    Raises:
        UnsupportedError: it is called in a way that a page does not do.
    """
    if not isinstance(graph, ForeignOnnx):
        if model.family.reads == "images":
            return PictureInput(name=graph.inputs[0])
        return TextInput(names={name: name for name in graph.inputs})
    found = graph.interface
    ports = list(found.inputs.values())
    types = {port.type for port in ports}
    if types not in ({"FLOAT"}, {"INT64"}, {"INT32"}) or found.batch not in (None, 1):
        raise UnsupportedError(
            f"{model.place}: takes {', '.join(sorted(types))} in batches of "
            f"{found.batch or 'any number'}; a page gives float32 or whole numbers of one kind, "
            "one row at a time. Export the model with these"
        )
    if found.reads == "images":
        return PictureInput(name=ports[0].name, layout=found.layout, channels=found.channels)
    if found.length is not None and "attention_mask" not in found.inputs:
        raise UnsupportedError(
            f"{model.place}: takes texts of exactly {found.length} tokens and no attention_mask, "
            "so shorter ones cannot be told from padding; export it with a free length"
        )
    return TextInput(
        names={role: port.name for role, port in found.inputs.items()},
        type="int64" if types == {"INT64"} else "int32",
        length=found.length,
    )


def output_of(graph: OnnxModule) -> str:
    """The name of a graph's answer."""
    return graph.interface.output if isinstance(graph, ForeignOnnx) else _OUTPUT


def processing_of(model: LoadedModel) -> dict[str, Any]:
    """What happens to a picture or text, as plain values.

    Raises:
        ModelError: the model has no preprocessor or tokenizer.
        UnsupportedError: one that a page does not do.
    """
    return _of_texts(model) if model.family.reads == "texts" else _of_pictures(model)


def _of_texts(model: LoadedModel) -> dict[str, Any]:
    tokens = Tokens.of(model.folder, model.config)
    before, after = tokens.around()
    return {
        "longest": tokens.longest,
        "vocabulary": tokens.vocabulary,
        "before": before,
        "after": after,
        "pad": tokens.pad,
    }


def _of_pictures(model: LoadedModel) -> dict[str, Any]:
    require_preprocessor(model)
    model_type = model.config.get("model_type")
    if not understands(model.preprocessor, model_type):
        raise UnsupportedError(
            f"{model.place}: its preprocessor is one of the library's own, which no page can run; "
            "pages do what ViTImageProcessor, DeiTImageProcessor and ConvNextImageProcessor do"
        )
    found = Preprocessing.from_config(model.preprocessor, model_type)
    return {
        **asdict(found.framing),
        "tall_first": int(PIL.__version__.split(".")[0]) >= _TALL_FIRST,
        "scale": found.scale,
        "mean": found.mean,
        "std": found.std,
    }


def outputs_of(model: LoadedModel, graph: OnnxModule) -> int | None:
    """How many numbers a model answers a row with; None: an ONNX file from elsewhere is silent."""
    if isinstance(graph, ForeignOnnx):
        return graph.interface.columns
    module = cast("Any", model.module)
    with torch.inference_mode():
        logits = module(**model.family.example(model.config)).logits
    return int(logits.shape[-1])


def one_by_one(model: LoadedModel, columns: int | None) -> bool:
    """Whether a model decides each of its classes by itself, as it says: never by their number."""
    if (columns or len(class_names(model.config))) == 1:
        return False
    several = model.config.get("problem_type") == SEVERAL_LABELS
    return model.activation == "sigmoid" or (model.activation == "none" and several)


def classes_of(model: LoadedModel, columns: int | None) -> tuple[str, ...]:
    """The names of the classes in the order of a page's scores.

    Args:
        model: its config names them.
        columns: numbers that it answers with; None: not known.

    Raises:
        ModelError: they are not named, or are others than it answers with; or a softmax of one.
    """
    names = class_names(model.config)
    if columns == 1 and model.activation == "softmax":  # which is 1 whatever it sees
        raise ModelError(
            f"{model.place}: answers with one number, of which a softmax is always 1; give "
            "--activation sigmoid (or none)"
        )
    fits = columns in (None, len(names)) or (columns == 1 and len(names) == 2)
    if not fits:
        raise ModelError(
            f"{model.place}: answers with {columns} numbers for {len(names)} classes; correct "
            "id2label, or give --classes"
        )
    # one output, which finds its class
    return names if len(names) > 1 else (f"not {names[0]}", *names)


def decision_about(
    classes: tuple[str, ...],
    several: bool,
    positive: str | None,
    thresholds: Mapping[str, float],
) -> ShownDecision:
    """What a page decides.

    Args:
        classes: of the model.
        several: whether each is decided by itself, since a picture may have several.
        positive: the class that is looked for; None: none in particular.
        thresholds: by class; of others 0.5.

    Raises:
        ModelError: a class that the model does not have.
    """
    if strange := sorted({*thresholds, *(() if positive is None else (positive,))} - set(classes)):
        raise ModelError(
            f"the model has no class {strange[0]!r}; it has {', '.join(classes)}. Correct "
            "--positive or the policy, or give --classes in the order of the outputs"
        )
    if positive is not None:
        return ShownDecision(kind="positive", thresholds={positive: thresholds.get(positive, 0.5)})
    if several:
        return ShownDecision(
            kind="each", thresholds={name: thresholds.get(name, 0.5) for name in classes}
        )
    return ShownDecision(kind="likeliest", thresholds={})
