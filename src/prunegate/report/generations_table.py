"""Generations: what both models write after the same prompts, side by side, for people to read.

The texts are a data file's and two models': whatever they hold is shown, line by line, and does
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.audit.written_texts import Generation
from prunegate.report.speech import Speech, speech
from prunegate.text.escape import LONGEST, named, shorten, visible
from prunegate.text.languages import ENGLISH
from prunegate.text.quantities import Quantity

MOST = 24
"""Documents that are shown."""
_MOST_LINES = 12


@dataclass(frozen=True, kw_only=True)
class Continued:
    """One prompt and what followed; every text as lines."""

    id: str
    slices: str
    prompt: tuple[str, ...]
    """Empty where the document has none."""
    reference: tuple[str, ...]
    baseline: tuple[str, ...]
    """Empty where the model wrote nothing that could be seen, for example ended at once."""
    candidate: tuple[str, ...]
    baseline_rating: str
    """What the scorer says of it, in words; empty: none was asked."""
    candidate_rating: str
    same: bool
    """Both models say the same."""


@dataclass(frozen=True, kw_only=True)
class GenerationsView:
    """The section of generations."""

    counted: str
    """How many there are and how many of them are the same."""
    examples: tuple[Continued, ...]
    rated: bool
    """Whether a scorer rated them."""


def generations(record: DecisionRecord, said: Speech | None = None) -> GenerationsView | None:
    """The sample of a record, by slice, in English or in another language; None: there is none."""
    if not record.generations:
        return None
    found = sorted(record.generations, key=lambda one: one.slices)
    same = sum(one.baseline == one.candidate for one in found)
    own = said or speech(ENGLISH)
    told = {"n": own.whole(len(found)), "same": own.whole(same)}
    counted = own.say("written.counted", **told)
    if len(found) > MOST:
        counted = own.say("written.counted_shown", shown=own.whole(MOST), **told)
    return GenerationsView(
        counted=counted,
        examples=tuple(_continued(one, own) for one in found[:MOST]),
        rated=record.scorer is not None,
    )


def _continued(one: Generation, said: Speech) -> Continued:
    return Continued(
        id=shorten(one.id, 60),
        slices=", ".join(map(named, one.slices)),
        prompt=inert_lines(one.prompt),
        reference=inert_lines(one.reference),
        baseline=inert_lines(one.baseline),
        candidate=inert_lines(one.candidate),
        baseline_rating=_rating(one.baseline_quality, said),
        candidate_rating=_rating(one.candidate_quality, said),
        same=one.baseline == one.candidate,
    )


def _rating(quality: float | None, said: Speech) -> str:
    if quality is None:
        return ""
    return said.say("written.rated", rating=said.figure(Quantity(kind="mean").level(quality)))


def inert_lines(text: str) -> tuple[str, ...]:
    r"""A text as inert lines, at most twelve; a longer one ends in an ellipsis.

    >>> inert_lines("Run further.\n\tToday")
    ('Run further.', '\\u0009Today')
    """
    found = text[:LONGEST].rstrip().replace("\r\n", "\n").split("\n")
    # Spaces at the ends of a line say nothing; escaped they would be all one sees.
    shown = [visible(line.strip(" ")) for line in found[:_MOST_LINES]]
    cut = len(found) > _MOST_LINES or len(text) > LONGEST
    if not any(shown):
        return ()
    return (*shown, "…") if cut else tuple(shown)
