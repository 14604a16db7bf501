"""Sections: what the page consists of, in reading order; one entry says all there is of one.

A section has a name, what it shows of a record (finished text, or None where it has nothing to
show) and a template, which finds that as ``shown`` and what every section may say as ``report``. A
program of its own adds one with ``SECTIONS.add(...)``. A page with such a section names it in its
head, because only a build that has the section can make the page again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.errors import InternalError
from prunegate.registry import Registry
from prunegate.report import details
from prunegate.report.claims import claims
from prunegate.report.cost import cost
from prunegate.report.discoveries import discoveries
from prunegate.report.findings_table import findings_table
from prunegate.report.flips import flips
from prunegate.report.forest import Panel, panels
from prunegate.report.forest_chart import forest_chart
from prunegate.report.generations_table import generations
from prunegate.report.heads import head_map
from prunegate.report.measures import measures
from prunegate.report.page_one.answer import SignOffShown
from prunegate.report.page_one.page import mix_of_rows, page_one
from prunegate.report.page_one.sheet import PageOne
from prunegate.report.provenance import FactGroup, provenance
from prunegate.report.rules import rules
from prunegate.report.search import search_section
from prunegate.report.speech import Speech, speech_of
from prunegate.report.svg import Chart
from prunegate.report.units import Units
from prunegate.report.unpruned_control import control
from prunegate.report.warnings import warnings_told
from prunegate.text.escape import LONGEST, shorten


@dataclass(frozen=True, kw_only=True)
class PageSource:
    """What a page is made from."""

    record: DecisionRecord
    digest: str
    """sha256 of the record's canonical bytes, in hexadecimal."""
    pictures: Mapping[str, bytes]
    """PNG or JPEG bytes by the id of a flipped row; may be empty."""
    state: SignOffShown | None = None
    """What the audit trail holds, of a copy made later; None: the page as it is signed."""

    @cached_property
    def units(self) -> Units:
        """How the record's values are written, in English; page one has words of its own."""
        return Units.of(self.record)

    @cached_property
    def speech(self) -> Speech:
        """The page's language."""
        return speech_of(self.record)

    @cached_property
    def told(self) -> Units:
        """How the record's values are written in the page's language."""
        return Units.of(self.record, self.speech)


@dataclass(frozen=True, kw_only=True)
class PageSection:
    """One section of the page."""

    name: str
    shows: Callable[[PageSource], Any]
    """What it shows: finished, inert text; None or empty: it does not appear."""
    template: str
    """File name of its template."""
    folder: Path | None = None
    """Where the template lies; None: with ours."""
    spoken: bool = False
    """Whether all of it is in the page's language; else it is English."""
    after: str = ""
    """The section that it follows, where it is added from outside; empty: it comes last."""
    every_page: bool = False
    """Whether hardly a page is without it, so that its template is compiled ahead."""

    @property
    def key(self) -> str:
        """What the template is called where ours are found, too."""
        return self.template if self.folder is None else f"{self.name}:{self.template}"


@dataclass(frozen=True, kw_only=True)
class Forest:
    """One forest panel and its picture."""

    panel: Panel
    chart: Chart


@dataclass(frozen=True, kw_only=True)
class ForestsView:
    """What changed, slice by slice."""

    forests: tuple[Forest, ...]
    hidden: int
    """Panels not drawn, all less serious than those drawn."""
    waived: bool
    """Whether any finding was waived."""
    control: bool
    """Whether the unpruned control is drawn, too."""


@dataclass(frozen=True, kw_only=True)
class RecipeView:
    """How the candidate was made."""

    steps: tuple[str, ...]
    """In the record's words."""
    left: tuple[str, ...]
    """What is left of the model, beside its heads."""
    loss: str
    """How the training loss went; empty where it is not known."""


@dataclass(frozen=True, kw_only=True)
class TrustView:
    """How far to trust the decision, and where it comes from."""

    statement: str
    """In the record's words; empty: it has none."""
    mix: str
    second_opinion: str
    known_limits: tuple[str, ...]
    """In the record's words."""
    provenance: tuple[FactGroup, ...]


def _forests(source: PageSource) -> ForestsView | None:
    record = source.record
    drawn, left_out = panels(record, source.speech)
    if not drawn:
        return None
    return ForestsView(
        forests=tuple(
            Forest(panel=panel, chart=forest_chart(panel, number))
            for number, panel in enumerate(drawn, start=1)
        ),
        hidden=left_out,
        waived=any(finding.status == "waived" for finding in record.findings),
        control=control(record, source.units) is not None,
    )


def _recipe(source: PageSource) -> RecipeView | None:
    steps, left = details.recipe(source.record), details.left_in_words(source.record, source.speech)
    loss = details.training_loss_in_words(source.record, source.speech)
    return RecipeView(steps=steps, left=left, loss=loss) if steps or left else None


def _slices(source: PageSource) -> details.SlicesView | None:
    found = details.slices(source.record)
    return found if found.rows else None


def _trust(source: PageSource) -> TrustView:
    record = source.record
    return TrustView(
        statement=shorten(record.statement, LONGEST),
        mix=mix_of_rows(record, source.speech),
        second_opinion=details.second_opinion_in_words(record, source.speech),
        known_limits=tuple(shorten(text, LONGEST) for text in record.known_limits),
        provenance=provenance(record, source.digest, source.speech),
    )


def _page_one(source: PageSource) -> PageOne:
    return page_one(source.record, source.units, source.digest, source.pictures, source.state)


_ALWAYS = frozenset({"decision", "findings", "rules", "forest", "slices", "trust"})


def _ours(name: str, shows: Callable[[PageSource], Any]) -> PageSection:
    return PageSection(
        name=name,
        shows=shows,
        template=f"_{name}.html.j2",
        spoken=True,
        every_page=name in _ALWAYS,
    )


SECTIONS: Registry[PageSection] = Registry(
    "section",
    attrgetter("name"),
    (
        _ours("decision", _page_one),
        _ours("findings", lambda source: findings_table(source.record, source.told)),
        _ours("warnings", lambda source: warnings_told(source.record, source.told)),
        _ours("rules", lambda source: rules(source.record, source.told)),
        _ours("forest", _forests),
        _ours("control", lambda source: control(source.record, source.units)),
        _ours("flips", lambda source: flips(source.record, source.pictures, source.speech)),
        _ours("generations", lambda source: generations(source.record, source.speech)),
        _ours("discoveries", lambda source: discoveries(source.record, source.speech)),
        _ours("cost", lambda source: cost(source.record, source.speech)),
        _ours("claims", lambda source: claims(source.record, source.speech)),
        _ours("search", lambda source: search_section(source.record, source.told)),
        _ours("heads", lambda source: head_map(source.record, source.speech)),
        _ours("measures", lambda source: measures(source.record)),
        _ours("recipe", _recipe),
        _ours("slices", _slices),
        _ours("trust", _trust),
    ),
)
"""Every section by name, ours in reading order, then what was added."""


def in_reading_order() -> tuple[PageSection, ...]:
    """Every section where a reader finds it.

    Raises:
        InternalError: one is to follow a section that there is not.
    """
    placed = [section for section in SECTIONS.values() if not section.after]
    for section in SECTIONS.values():
        if not section.after:
            continue
        names = [one.name for one in placed]
        if section.after not in names:
            raise InternalError(
                f"section '{section.name}' is to follow '{section.after}', which there is not; "
                f"there are: {', '.join(names)}"
            )
        placed.insert(names.index(section.after) + 1, section)
    return tuple(placed)
