"""Undeclared slices that lost most, in words: for the console's table and the report's advice."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.discovery.discovered import DiscoveredSlice, Discovery
from prunegate.metrics.task_traits import TRAITS
from prunegate.report.speech import Speech, speech
from prunegate.report.task import traits_of
from prunegate.text import numbers
from prunegate.text.escape import named, visible
from prunegate.text.languages import ENGLISH

HEADER = ("slice", "rows", "lost", "gained", "net loss", "z", "beyond", "guarded p", "")


@dataclass(frozen=True, kw_only=True)
class FoundSlice:
    """One slice, every cell as text."""

    name: str
    rows: str
    flips: str
    """Lost and gained rows."""
    net_loss: str
    p: str
    snippet: str
    """The lines that would declare it; empty where a policy cannot name it."""


@dataclass(frozen=True, kw_only=True)
class DiscoveriesView:
    """The advice section."""

    unit: str
    """Of the net loss, for the column's head."""
    slices: tuple[FoundSlice, ...]


def discoveries(record: DecisionRecord, said: Speech | None = None) -> DiscoveriesView | None:
    """The advice of a record, in English or in another language; None where nothing stood out."""
    if not record.discoveries:
        return None
    task, own = traits_of(record), said or speech(ENGLISH)
    unit = "decided" if task.decided else "document" if task.documents else "row"
    return DiscoveriesView(
        unit=own.say(f"discovered.unit_{unit}"),
        slices=tuple(_slice(found, task.name, own) for found in record.discoveries),
    )


def _slice(found: DiscoveredSlice, kind: str, said: Speech) -> FoundSlice:
    return FoundSlice(
        name=named(found.name),
        rows=said.whole(found.rows),
        flips=f"{said.whole(found.lost)} / {said.whole(found.gained)}",
        net_loss=said.figure(net_loss(found.net_loss, kind)),
        p=said.probability(found.guarded_p),
        snippet="\n".join(inert_line(line) for line in (found.snippet or "").splitlines()),
    )


def inert_line(line: str) -> str:
    """A line of YAML; its indentation is kept, and what ``quote`` did not escape is made inert."""
    text = line.lstrip(" ")
    return " " * (len(line) - len(text)) + visible(text)


def net_loss(value: float, kind: str) -> str:
    """The mean loss a row: points for decisions, else the task's own unit."""
    return numbers.signed(100 * value) if TRAITS[kind].decided else numbers.signed(value, 3)


def counted(found: Discovery) -> str:
    """What was looked at, in a few sentences."""
    return (
        f"{numbers.count(found.candidates)} undeclared slices of at least "
        f"{numbers.count(found.support)} rows in {numbers.count(found.rows)} rows, up to "
        f"{found.depth} of {len(found.columns)} columns crossed; "
        f"{numbers.count(found.declared)} declared slices left out.\n"
        f"The whole table lost {numbers.count(found.lost)} and gained "
        f"{numbers.count(found.gained)} rows: net loss {net_loss(found.net_loss, found.task)} "
        f"{TRAITS[found.task].loss_unit}. Guard: {numbers.count(found.flips)} times, "
        f"{visible(found.method)}."
    )


def discoveries_table(found: Discovery) -> list[tuple[str, ...]]:
    """The slices as rows of text under a header; empty where there are none."""
    rows = [
        (
            named(one.name),
            numbers.count(one.rows),
            numbers.count(one.lost),
            numbers.count(one.gained),
            net_loss(one.net_loss, found.task),
            numbers.fixed(one.z, 1),
            numbers.fixed(one.beyond, 1),
            numbers.bare_p(one.guarded_p),
            "*" if one.stands_out else "",
        )
        for one in found.slices
    ]
    return [HEADER, *rows] if rows else []
