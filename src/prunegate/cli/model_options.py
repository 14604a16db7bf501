"""What the options of a command say of a model beside its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.policy.load import PolicyFile
    from prunegate.policy.model_source import ModelSource


def model_source(
    model: Path,
    judged: PolicyFile | None = None,
    *,
    classes: str | None,
    activation: str | None,
    layout: str | None,
    channels: str | None = None,
) -> ModelSource:
    """What was given, as a policy would say it; nothing given: what the policy says of this model.

    Args:
        model: where it is.
        judged: a policy that may name it as its candidate.
        classes: in the order of its outputs, with commas between them.
        activation: what makes probabilities of its outputs.
        layout: of its images.
        channels: of its images.

    Raises:
        InputError: words that do not go together.
    """
    from pydantic import ValidationError

    from prunegate.policy.model_source import ModelSource

    named = tuple(classes.split(",")) if classes else None
    words = {"activation": activation, "layout": layout, "channels": channels, "classes": named}
    told = {name: value for name, value in words.items() if value is not None}
    by_policy = None if told or judged is None else _by_policy(model, judged)
    if by_policy is not None:
        return by_policy
    kind = "onnx" if model.suffix == ".onnx" else "folder"
    try:
        return ModelSource.model_validate({kind: str(model), **told})
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"{model}: {reason}") from error


def _by_policy(model: Path, judged: PolicyFile) -> ModelSource | None:
    """What a policy says of the model that it names as its candidate; None: it names another."""
    place = judged.model_place("candidate")
    same = place is not None and place.resolve() == model.resolve()
    return judged.policy.model.source_of("candidate") if same and judged.policy.model else None
