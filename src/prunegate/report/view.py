"""View: the whole report as one frozen value of finished text; the template only places it.

All formatting has happened here or below, and every word that came from data has gone through
``inert``. A part that the record does not have is None or empty, and does not appear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from prunegate.audit.approvals.request import SIGN
from prunegate.audit.record import DecisionRecord
from prunegate.report import details
from prunegate.report.claims import ClaimsView, claims
from prunegate.report.cost import CostView, cost
from prunegate.report.details import FactGroup, SlicesView
from prunegate.report.discoveries import DiscoveriesView, discoveries
from prunegate.report.flips import FlipsView, flips
from prunegate.report.forest import Panel, panels
from prunegate.report.forest_chart import forest_chart
from prunegate.report.generations_table import GenerationsView, generations
from prunegate.report.headline import Headline, headline
from prunegate.report.heads import HeadMap, head_map
from prunegate.report.measures import MeasuresView, measures
from prunegate.report.rules import RuleView, rules
from prunegate.report.search import SearchView, search_section
from prunegate.report.units import Units
from prunegate.report.unpruned_control import ControlView, control
from prunegate.report.warnings import Warnings, warnings
from prunegate.text.escape import LONGEST, shorten, visible
from prunegate.text.time import moment, short_code


@dataclass(frozen=True, kw_only=True)
class Forest:
    """One forest panel and its picture."""

    panel: Panel
    chart: Markup


@dataclass(frozen=True, kw_only=True)
class Sign:
    """How to sign, where the policy asks for approvals."""

    roles: str
    """In which roles, in words."""
    command: str
    """What to type."""


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """Everything that the page says, in reading order."""

    policy: str
    purpose: str
    date: str
    code: str
    """The first twelve digits of the record's digest, grouped."""
    headline: Headline
    forests: tuple[Forest, ...]
    hidden_forests: int
    """Panels not drawn, all less serious than those drawn."""
    waived: bool
    """Whether any finding was waived."""
    rules: tuple[RuleView, ...]
    control: ControlView | None
    flips: FlipsView | None
    generations: GenerationsView | None
    discoveries: DiscoveriesView | None
    cost: CostView | None
    claims: ClaimsView | None
    search: SearchView | None
    measures: MeasuresView | None
    recipe: tuple[str, ...]
    loss: str
    heads: HeadMap | None
    slices: SlicesView
    warnings: Warnings
    statement: str
    second_opinion: str
    known_limits: tuple[str, ...]
    provenance: tuple[FactGroup, ...]
    sign: Sign | None
    """None: the policy asks for no approvals."""


def view(record: DecisionRecord, *, digest: str, pictures: Mapping[str, bytes]) -> ReportView:
    """The record as finished text and pictures.

    Args:
        record: the decision.
        digest: sha256 of the record's canonical bytes, in hexadecimal.
        pictures: PNG or JPEG bytes by the id of a flipped row; may be empty.
    """
    units = Units.of(record)
    drawn, left_out = panels(record)
    return ReportView(
        policy=visible(record.policy.name),
        purpose=shorten(record.policy.purpose or "", LONGEST),
        date=moment(record.created),
        code=visible(short_code(digest)),
        headline=headline(record, units),
        forests=tuple(
            Forest(panel=panel, chart=forest_chart(panel, number))
            for number, panel in enumerate(drawn, start=1)
        ),
        hidden_forests=left_out,
        waived=any(finding.status == "waived" for finding in record.findings),
        rules=rules(record, units),
        control=control(record, units),
        flips=flips(record, pictures),
        generations=generations(record),
        discoveries=discoveries(record),
        cost=cost(record),
        claims=claims(record),
        search=search_section(record, units),
        measures=measures(record),
        recipe=details.recipe(record),
        loss=details.training_loss_in_words(record),
        heads=head_map(record),
        slices=details.slices(record),
        warnings=warnings(record),
        statement=shorten(record.statement, LONGEST),
        second_opinion=details.second_opinion_in_words(record),
        known_limits=tuple(shorten(text, LONGEST) for text in record.known_limits),
        provenance=details.provenance(record, digest),
        sign=_sign(record),
    )


def _sign(record: DecisionRecord) -> Sign | None:
    asked = record.policy.document.get("approvals")
    wanted = asked.get("required") if isinstance(asked, dict) else None
    if not isinstance(wanted, list):
        return None
    roles = [str(one.get("role", "")) for one in wanted if isinstance(one, dict)]
    return Sign(roles=visible(" or ".join(roles)), command=SIGN)
