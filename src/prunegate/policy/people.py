"""People: how the report speaks to those who read it, and what of the data it may show them.

Nothing here decides anything. The machine's names (``name``, slicing keys and values) stay what
they are in the record, in CI and in the audit trail; these words stand beside them.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, Strict, model_validator

from prunegate.policy.section import Section, Text
from prunegate.text.languages import ENGLISH, languages

Redactable = Literal["id", "text", "image", "label", "prompt", "reference"]
"""What of a single row a report would show."""
REDACTABLE: tuple[str, ...] = get_args(Redactable)
MOST_EXAMPLES = 12


def _spoken(language: str) -> str:
    if language not in languages():
        raise ValueError(f"there is no catalogue of that language; there are: {_LANGUAGES}")
    return language


_LANGUAGES = ", ".join(languages())


class Words(Section):
    """What rows and positives are called where people read."""

    positive: Text | None = None
    """The positive rows, in the plural: unsafe creatives; absent: items labelled so."""
    items: Text | None = None
    """All rows, in the plural: creatives; absent: items."""


class ReportSection(Section):
    """The report's language, and what of the data it may show."""

    language: Annotated[str, Strict(), AfterValidator(_spoken)] = ENGLISH
    """Of the report; what the record holds as sentences stays English."""
    examples: Annotated[int, Strict(), Field(ge=1, le=MOST_EXAMPLES)] | Literal["none"] = (
        MOST_EXAMPLES
    )
    """Rows that a slice may show of each kind at most, or none: then no text, picture or id of any
    row is in the report or the record."""
    blur: Annotated[bool, Strict()] = False
    """Whether pictures are shown blurred, so that their kind can be told and no face."""
    redact: tuple[Text, ...] = ()
    """Columns of which no value is shown or kept in the record: id (a number stands for it, and no
    picture is shown), image, text, label, prompt, reference, or the column's own name."""

    @property
    def most(self) -> int:
        """Examples of a slice and kind that may be shown."""
        return 0 if self.examples == "none" else self.examples

    @model_validator(mode="after")
    def _each_once(self) -> ReportSection:
        if len(set(self.redact)) != len(self.redact):
            raise ValueError("'redact' names the same thing twice; keep one")
        return self
