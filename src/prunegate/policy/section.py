"""The base of every section of a policy: closed, frozen and finite; and its value types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict

Text = Annotated[str, Strict(), Field(min_length=1, max_length=2000)]
Name = Annotated[str, Strict(), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict(), Field(ge=0)]
Positive = Annotated[int, Strict(), Field(ge=1)]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Confidence = Annotated[float, Strict(), Field(gt=0.5, le=0.999999999)]
Scalar = Annotated[bool, Strict()] | Annotated[int, Strict()] | Number | Annotated[str, Strict()]
"""A value of a column: kept as the YAML says it (``1`` is not ``"1"`` is not ``true``)."""


Selection = dict[Text, Scalar | Annotated[tuple[Scalar, ...], Field(min_length=1)]]
"""Column values that a row must have: one, or any one of a list."""


class Section(BaseModel):
    """Base of every part of a policy: closed, frozen, finite."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )


def shape_of(*keys: str) -> Callable[[Any], str | None]:
    """Which form a number-or-mapping takes, by its only key, so that a mistake is reported once."""

    def shape(value: Any) -> str | None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return "number"
        if isinstance(value, Section):
            value = type(value).model_fields
        names = tuple(value) if isinstance(value, dict) else ()
        found = [key for key in keys if key in names]
        return found[0] if len(names) == 1 and found else None

    return shape


MODELS = ("baseline", "candidate")
"""What a mapping with an entry for each model has as keys; no label is called so."""


def one_or_each(value: Any) -> str:
    """Whether a threshold is one number, or a mapping: one for each model, or for each label."""
    if isinstance(value, dict) and value and not set(MODELS).intersection(value):
        return "labels"
    return "thresholds" if isinstance(value, dict | Section) else "number"
