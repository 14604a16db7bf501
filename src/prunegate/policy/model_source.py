"""A model as a policy names it, where more has to be said than a folder: a graph, its classes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from prunegate.policy.place import Place
from prunegate.policy.section import Scalar, Section, Text

InputRole = Literal["pixel_values", "input_ids", "attention_mask", "token_type_ids"]


class ModelSource(Section):
    """Where a model is, and what its files do not say of it."""

    folder: Place | None = None
    """A folder: of Hugging Face, of prunegate, or with one ONNX file."""
    onnx: Place | None = None
    """An ONNX file, in the place of a folder; descriptions (config.json, tokenizer.json) are read
    beside it."""
    classes: tuple[Scalar, ...] = ()
    """The labels in the order of the model's outputs; absent: id2label of its config.json. Of a
    model with one output: the label that it finds, or the other one and that."""
    activation: Literal["softmax", "sigmoid", "none"] | None = None
    """What makes probabilities of its outputs; absent: as the graph ends or config.json says."""
    inputs: dict[InputRole, Text] = Field(default_factory=dict)
    """ONNX: what the graph calls its inputs; absent: as their names and forms tell."""
    layout: Literal["NCHW", "NHWC"] | None = None
    """ONNX: where an image's channels are; absent: where the graph has three."""
    channels: Literal["RGB", "BGR"] = "RGB"
    """ONNX: the order of an image's channels."""
    output: Text | None = None
    """ONNX: the output that holds the classes; absent: the only one, or ``logits``."""

    @property
    def path(self) -> str:
        """The folder or file."""
        return str(self.onnx or self.folder)

    @model_validator(mode="after")
    def _is_in_one_place(self) -> ModelSource:
        if (self.folder is None) == (self.onnx is None):
            raise ValueError("a model is either {folder: FOLDER, ...} or {onnx: FILE, ...}")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("'classes' names each output once")
        of_graphs = ("inputs", "layout", "channels", "output")
        given = [key for key in of_graphs if key in self.model_fields_set]
        if given and self.folder is not None:
            raise ValueError(f"'{given[0]}' is said of an ONNX file; name it with 'onnx'")
        return self


def _written(value: Any) -> str:
    return "source" if isinstance(value, dict | Section) else "path"


NamedPlace = Annotated[
    Annotated[Place, Tag("path")] | Annotated[ModelSource, Tag("source")],
    Discriminator(_written),
]
"""How a policy writes a model: a folder, or a folder or file with what is to be said of it."""
