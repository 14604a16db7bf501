"""Waivers on the page of a history: who signed what for whom, until when, and what rests on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from prunegate.audit.approvals.folder_entries import Entry
from prunegate.audit.waivers.verified_waivers import HeardWaiver
from prunegate.report.provenance import Fact
from prunegate.report.trail_parts import CODE, Event, spelled, where
from prunegate.text.escape import LONGEST, named, shorten
from prunegate.text.numbers import number_of


def waiver_event(entry: Entry, one: HeardWaiver, made: datetime) -> Event:
    """A waiver as it stood when the page was made.

    Args:
        entry: of the trail.
        one: what it says; its signature holds.
        made: when the page was made, in UTC.
    """
    over = one.expired(made)
    title = "A waiver that has expired" if over else "A waiver"
    if one.refused is not None:
        title = "A waiver that does not count"
    return Event(
        status="hollow" if over or one.refused is not None else "waived",
        title=title,
        when=spelled(entry.facts.created),
        where=where(entry),
        text=f"Reason given: {shorten(one.read.request.ask.reason, LONGEST)}",
        facts=tuple(_facts(one, over)),
    )


def _facts(one: HeardWaiver, over: bool) -> Iterator[Fact]:
    said, request = one.read.said, one.read.request
    about, ask = request.finding, request.ask
    if one.refused is not None:
        yield Fact(name="Does not count", value=shorten(one.refused, LONGEST))
    yield Fact(name="Finding", value=_finding(one))
    yield Fact(name="Rule", value=shorten(f"{about['rule']}, counted from 0", LONGEST))
    yield Fact(name="Without it", value=shorten(str(about["status"]), LONGEST))
    place = f", {named(said.organisation)}" if said.organisation else ""
    yield Fact(name="Approved and signed by", value=f"{named(said.person)}{place}")
    yield Fact(name="With key", value=one.read.signature.fingerprint, code=True)
    yield Fact(name="Asked for by", value=named(ask.author))
    yield Fact(name="Owner", value=named(ask.owner))
    yield Fact(name="Asked for", value=spelled(ask.asked))
    state = "expired when this page was made" if over else "had not ended when this page was made"
    yield Fact(name="Until", value=f"{spelled(ask.expires)}: {state}")
    codes = ", ".join(shorten(digest[:CODE], CODE) for digest in request.candidate)
    yield Fact(name="Candidate, by answers and files", value=shorten(codes, LONGEST), code=True)
    yield Fact(name="Asked of the record", value=shorten(request.record[:CODE], CODE), code=True)


def _finding(one: HeardWaiver) -> str:
    about = {name: named(str(value)) for name, value in one.read.request.finding.items()}
    label = one.read.request.finding["class_label"]
    of = "" if label is None else f" of class {about['class_label']}"
    return f"{about['metric']} {about['check']}{of} on {about['slice']}"


def rests_on(waivers: Sequence[str], entries: Mapping[str, Entry]) -> str:
    """``1 waived finding (entry 13)``.

    Args:
        waivers: sha256 of the waiver of each waived finding.
        entries: of the folder, by sha256.
    """
    places = dict.fromkeys(_place(one, entries) for one in waivers)
    return f"{number_of(len(waivers), 'waived finding')} ({', '.join(places)})"


def _place(waiver: str, entries: Mapping[str, Entry]) -> str:
    entry = entries.get(waiver)
    return where(entry) if entry is not None else "a waiver that is not in this folder"
