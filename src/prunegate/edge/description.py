"""Description: edge.json, all that a page needs to know of the model beside it to score a picture.

It names the candidate by digest, what happens to a picture before the model sees it, what the
model's numbers mean, and the decision that people are shown. Nothing is left to the page's
judgement, and what a page cannot do as it is done here is refused by name. The same candidate gives
the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import PIL

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.foreign_onnx import ForeignOnnx
from prunegate.models.judged_only import JudgedOnly
from prunegate.models.load import PREPROCESSOR_FILE, LoadedModel
from prunegate.models.onnx_module import OnnxModule
from prunegate.predict.classes import class_names
from prunegate.predict.preprocessing import Preprocessing, understands

FORMAT = "urn:prunegate:edge:v1"
EDGE_FILE = "edge.json"
_OUTPUT = "logits"
_TALL_FIRST = 13
"""The first Pillow that resizes tall images along their height first (``pixels.js``)."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a page says of a picture beside its scores."""

    kind: Literal["positive", "likeliest", "each"]
    """Whether one class reaches its threshold; which class is likeliest; which classes of several
    reach theirs."""
    thresholds: Mapping[str, float]
    """By class, of those that are decided about; empty: the likeliest."""


@dataclass(frozen=True, kw_only=True)
class PictureInput:
    """How a graph is given a picture."""

    name: str
    """Of its input."""
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: Literal["RGB", "BGR"] = "RGB"
    output: str = _OUTPUT
    """Of the answer."""


def require_pictures(model: LoadedModel) -> None:
    """Insist that a model sorts pictures into classes.

    Raises:
        UnsupportedError: it reads texts, or answers otherwise.
    """
    family = model.family
    if family.reads != "images" or family.answers != "classes":
        raise UnsupportedError(
            f"{model.place}: reads {family.reads} and answers with {family.answers}; a page is "
            "made for classifiers of images. Score texts on a server, with 'prunegate predict'"
        )


def picture_input(model: LoadedModel, graph: OnnxModule) -> PictureInput:
    """Say how a graph is called with one picture at a time.

    Args:
        model: as it was opened.
        graph: what will run.

    Raises:
        UnsupportedError: it is called in a way that a page does not do.
    """
    if not isinstance(graph, ForeignOnnx):
        return PictureInput(name=graph.inputs[0])
    found = graph.interface
    port = found.inputs["pixel_values"]
    if port.type != "FLOAT" or found.batch not in (None, 1):
        raise UnsupportedError(
            f"{model.place}: takes {port.type} in batches of {found.batch or 'any number'}; a page "
            "gives float32, one picture at a time. Export the model with these"
        )
    return PictureInput(
        name=port.name, layout=found.layout, channels=found.channels, output=found.output
    )


def processing_of(model: LoadedModel) -> dict[str, Any]:
    """What happens to a picture, as plain values.

    Raises:
        ModelError: the model has no preprocessor.
        UnsupportedError: one that a page does not do.
    """
    if not model.preprocessor and isinstance(model.family, JudgedOnly):
        raise ModelError(
            f"{model.place}: {PREPROCESSOR_FILE} is missing, which says how images become the "
            "model's numbers; put the one that belongs to the model beside it"
        )
    model_type = model.config.get("model_type")
    if not understands(model.preprocessor, model_type):
        raise UnsupportedError(
            f"{model.place}: its preprocessor is one of the library's own, which no page can run; "
            "pages do what ViTImageProcessor, DeiTImageProcessor and ConvNextImageProcessor do"
        )
    found = Preprocessing.from_config(model.preprocessor, model_type)
    return {
        **asdict(found.framing),
        "tall_first": int(PIL.__version__.partition(".")[0]) >= _TALL_FIRST,
        "scale": found.scale,
        "mean": found.mean,
        "std": found.std,
    }


def classes_of(model: LoadedModel, columns: int | None) -> tuple[str, ...]:
    """The names of the classes in the order of a page's scores.

    Args:
        model: its config names them.
        columns: numbers that it answers with; None: not known.

    Raises:
        ModelError: they are not named, or are others than it answers with.
    """
    names = class_names(model.config)
    if len(names) == 1:  # one output, which finds its class
        names = (f"not {names[0]}", *names)
    if columns not in (None, len(names)) and not (columns == 1 and len(names) == 2):
        raise ModelError(
            f"{model.place}: answers with {columns} numbers for {len(names)} classes; correct "
            "id2label, or give --classes"
        )
    return names


def decision_about(
    classes: tuple[str, ...],
    several: bool,
    positive: str | None,
    thresholds: Mapping[str, float],
) -> Decision:
    """What a page decides.

    Args:
        classes: of the model.
        several: whether a picture may have several of them.
        positive: the class that is looked for; None: none in particular.
        thresholds: by class; of others 0.5.

    Raises:
        ModelError: a class that the model does not have.
    """
    if strange := sorted({*thresholds, *([positive] if positive else [])} - set(classes)):
        raise ModelError(
            f"the model has no class {strange[0]!r}; it has {', '.join(classes)}. Correct "
            "--positive or the policy, or give --classes in the order of the outputs"
        )
    if positive is not None:
        return Decision(kind="positive", thresholds={positive: thresholds.get(positive, 0.5)})
    if several:
        return Decision(
            kind="each", thresholds={name: thresholds.get(name, 0.5) for name in classes}
        )
    return Decision(kind="likeliest", thresholds={})
