"""What the options of a command say of a model beside its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import gathered
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.policy.load import PolicyFile
    from prunegate.policy.model_source import ModelSource


@dataclass(frozen=True, kw_only=True)
class ModelWords:
    """What was said of a model; None: what its files, or a policy, say."""

    classes: str | None
    """In the order of its outputs, with commas between them."""
    activation: str | None
    """What makes probabilities of its outputs."""
    layout: str | None
    """Of its images."""
    channels: str | None
    """Of its images."""
    inputs: tuple[str, ...]
    """What a graph calls its inputs, each ROLE=NAME."""
    output: str | None
    """The output of a graph that is read."""

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        return any(vars(self).values())

    def source(self, model: Path, judged: PolicyFile | None = None) -> ModelSource:
        """What was said, as a policy would say it; nothing said: what the policy says of the model.

        Args:
            model: where it is.
            judged: a policy that may name it as its candidate.

        Raises:
            InputError: words that do not go together.
        """
        from pydantic import ValidationError

        from prunegate.policy.model_source import ModelSource

        by_policy = None if self.given or judged is None else _by_policy(model, judged)
        if by_policy is not None:
            return by_policy
        told = {name: value for name, value in vars(self).items() if value}
        if self.inputs:
            told["inputs"] = dict(map(_role_and_name, self.inputs))
        if self.classes is not None:
            told["classes"] = tuple(self.classes.split(","))
            if not all(map(str.strip, told["classes"])):
                raise InputError(f"--classes {self.classes!r}: a class has no name; name each")
        kind = "onnx" if model.suffix == ".onnx" else "folder"
        try:
            return ModelSource.model_validate({kind: str(model), **told})
        except ValidationError as error:
            first = error.errors()[0]
            reason = first["msg"].removeprefix("Value error, ")
            where = "".join(f"{part}: " for part in first["loc"])
            raise InputError(f"{model}: {where}{reason}") from error


model_options = gathered(
    ModelWords,
    "words",
    click.option(
        "--classes", help="Classes in the order of the outputs, with commas between them."
    ),
    click.option(
        "--activation",
        type=click.Choice(["softmax", "sigmoid", "none"]),
        help="What makes probabilities of the outputs [default: as the model says].",
    ),
    click.option(
        "--layout",
        type=click.Choice(["NCHW", "NHWC"]),
        help="Of an ONNX model's images [default: as the graph says].",
    ),
    click.option(
        "--channels",
        type=click.Choice(["RGB", "BGR"]),
        help="Of an ONNX model's images [default: RGB].",
    ),
    click.option(
        "--input-name",
        "inputs",
        multiple=True,
        metavar="ROLE=NAME",
        help="What an ONNX model calls its input_ids, attention_mask, token_type_ids or "
        "pixel_values; one at a time [default: as names and forms tell].",
    ),
    click.option(
        "--output-name",
        "output",
        help="The output of an ONNX model that is read [default: the only one, or logits].",
    ),
)
"""What can be said of a model; the command gets it as ``words``."""

SIDES = ("baseline", "candidate")


@dataclass(frozen=True, kw_only=True)
class SidedWords:
    """What was said of two models, each word of one (``candidate:NHWC``) or of every graph."""

    layout: tuple[str, ...]
    """NCHW or NHWC."""
    inputs: tuple[str, ...]
    """What graphs call their inputs, each ROLE=NAME."""
    output: tuple[str, ...]
    """The outputs that are read."""

    def sources(self, baseline: Path, candidate: Path) -> tuple[ModelSource, ModelSource]:
        """What was said of each, as a policy would say it.

        Raises:
            InputError: words that are of no graph, or do not go together.
        """
        models = dict(zip(SIDES, (baseline, candidate), strict=True))
        graphs = [side for side, place in models.items() if place.suffix == ".onnx"]

        def told(side: str) -> ModelSource:
            layout, inputs, output = (
                [one for word in words if (one := _said_of(side, graphs, word)) is not None]
                for words in (self.layout, self.inputs, self.output)
            )
            said = ModelWords(
                classes=None,
                activation=None,
                layout=_single(layout, models[side], "--layout"),
                channels=None,
                inputs=tuple(inputs),
                output=_single(output, models[side], "--output-name"),
            )
            return said.source(models[side])

        return told("baseline"), told("candidate")


def _said_of(side: str, graphs: list[str], word: str) -> str | None:
    """A word without the side that it is of; None: it is of the other one."""
    named, colon, rest = word.partition(":")
    if colon and named in SIDES:
        return rest if named == side else None
    if not graphs:
        raise InputError(f"{word!r} is said of an ONNX file, and neither model is one; remove it")
    return word if side in graphs else None


def _single(words: list[str], place: Path, option: str) -> str | None:
    if len(words) > 1:
        raise InputError(
            f"{place}: {option} is said of it {len(words)} times ({', '.join(words)}); say it once"
        )
    return words[0] if words else None


sided_options = gathered(
    SidedWords,
    "words",
    click.option(
        "--layout",
        multiple=True,
        metavar="[MODEL:]LAYOUT",
        help="NCHW or NHWC, where an ONNX model leaves it open: of both, or of one "
        "(candidate:NHWC).",
    ),
    click.option(
        "--input-name",
        "inputs",
        multiple=True,
        metavar="[MODEL:]ROLE=NAME",
        help="What an ONNX model calls its input_ids, attention_mask, token_type_ids or "
        "pixel_values; one at a time, of both or of one (baseline:input_ids=ids:0).",
    ),
    click.option(
        "--output-name",
        "output",
        multiple=True,
        metavar="[MODEL:]NAME",
        help="The output of an ONNX model that is read [default: the only one, or logits].",
    ),
)
"""What two graphs leave open; the command gets it as ``words``."""


def _role_and_name(told: str) -> tuple[str, str]:
    role, given, name = told.partition("=")
    if not (role and given and name):
        raise InputError(f"--input-name {told!r}: expected ROLE=NAME, such as input_ids=ids:0")
    return role, name


def _by_policy(model: Path, judged: PolicyFile) -> ModelSource | None:
    """What a policy says of the model that it names as its candidate; None: it names another."""
    place = judged.model_place("candidate")
    same = place is not None and place.resolve() == model.resolve()
    return judged.policy.model.source_of("candidate") if same and judged.policy.model else None
