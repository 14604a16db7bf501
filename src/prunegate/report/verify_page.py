"""Verify: what holds of a report or a record that somebody hands over, checked from itself alone.

A record is canonical, whole, and its verdict is worked out again. A page carries its record: that
is checked first, then its pictures by digest, then the page is made again and compared byte for
byte. Who made it is another question (signatures, log, approvals), and said to be open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from prunegate.audit.provenance import made_elsewhere
from prunegate.audit.read import StoredRecord, parse_carried, parse_record, read_bytes
from prunegate.audit.recompute import require_follows
from prunegate.audit.verification_report import BEYOND, Verification, VerificationCheck
from prunegate.errors import EvidenceError, InputError
from prunegate.report.embedded_record import carried_record, packed_as_in, pictures_on
from prunegate.report.page_one.answer import SignOffShown
from prunegate.report.render import render
from prunegate.report.sections import SECTIONS
from prunegate.report.told_answers import answers_on
from prunegate.text.escape import escaped

DRAWING = ("jinja2", "vl-convert-python")
"""Libraries that a page's bytes depend on."""
_ADDED = re.compile('<meta name="prunegate-sections" content="([^"<]{1,400})">')
_UNDRAWN = '<meta name="prunegate-charts" content="undrawn">'
_AROUND = 36
"""Characters shown before and after a difference."""


def verify_file(path: Path) -> Verification:
    """Check a report.html or a record.json; what is wrong with it is a check, not an error.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    content = read_bytes(path, "a report.html or a record.json")
    return verify_content(content, path.suffix, _beside(path))


def verify_content(
    content: bytes, suffix: str = "", named: Callable[[StoredRecord], str] | None = None
) -> Verification:
    """Check the bytes of a page or a record.

    Args:
        content: the bytes.
        suffix: ``.html`` or ``.json`` say which it is; else the content does.
        named: what names the record's digest, in words, or empty; refuses another record.
    """
    if suffix in (".html", ".htm") or (suffix != ".json" and content.lstrip()[:1] == b"<"):
        names = ("record", "verdict", "pictures", "page")
        return _verified("report", names, _page, content, named)
    return _verified("record", ("record", "verdict"), _record, content, named)


def _beside(path: Path) -> Callable[[StoredRecord], str]:
    """What stands beside a file and names the record that belongs there.

    A record by itself cannot show that a date or a sentence in it was changed: that changes its
    digest, and the digest has to stand somewhere else.
    """

    def named(stored: StoredRecord) -> str:
        digest, told = stored.digest, []
        for place, words in ((path.name, "the file's name"), (path.parent.name, "its folder's")):
            if _DIGITS.fullmatch(place):
                _require(digest.startswith(place), f"{words} says {place}, the record is {digest}")
                told.append(words)
        page = path.with_name("report.html")
        if page != path and page.is_file():
            other = parse_carried(
                carried_record(_text(read_bytes(page, "a report"))), "report.html"
            )
            _require(other.digest == digest, f"report.html beside it carries {other.digest}")
            told.append("report.html beside it")
        return " and ".join(told)

    return named


_DIGITS = re.compile("[0-9a-f]{12}|[0-9a-f]{64}")


def _require(same: bool, words: str) -> None:
    if not same:
        raise EvidenceError(f"another record belongs here: {words}")


class _Found:
    """What the steps have found on their way."""

    stored: StoredRecord | None = None
    answers: SignOffShown | None = None


def _verified(
    kind: Literal["report", "record"],
    names: tuple[str, ...],
    steps: Callable[[bytes, _Found], Iterator[str]],
    content: bytes,
    named: Callable[[StoredRecord], str] | None,
) -> Verification:
    """Take one step after the other until one fails; what comes after it is not checked."""
    found, checks = _Found(), []
    try:
        for name, detail in zip(names, steps(content, found), strict=True):
            checks.append(VerificationCheck(name=name, status="holds", detail=detail))
    except (EvidenceError, InputError) as error:
        checks.append(
            VerificationCheck(name=names[len(checks)], status="broken", detail=str(error))
        )
    checks += [
        VerificationCheck(
            name=name, status="not checked", detail="what comes before it does not hold"
        )
        for name in names[len(checks) :]
    ]
    checks.append(_named(found.stored, named))
    checks += _waivers(found.stored)
    checks += _answers(found.answers)
    checks += [
        VerificationCheck(name=n, status="missing", detail=words) for n, words in BEYOND.items()
    ]
    believed = checks[1].status == "holds" and found.stored is not None
    return Verification(
        kind=kind,
        record=found.stored.digest if found.stored else None,
        outcome=found.stored.record.outcome if believed and found.stored else None,
        checks=tuple(checks),
    )


def _named(
    stored: StoredRecord | None, named: Callable[[StoredRecord], str] | None
) -> VerificationCheck:
    """Whether something outside the file names this very record."""
    if stored is None:
        detail = "what comes before it does not hold"
        return VerificationCheck(name="digest", status="not checked", detail=detail)
    try:
        words = named(stored) if named is not None else ""
    except (EvidenceError, InputError) as error:
        return VerificationCheck(name="digest", status="broken", detail=str(error))
    if words:
        return VerificationCheck(name="digest", status="holds", detail=f"named by {words}")
    detail = (
        "nothing beside this file names its digest; compare it with the one that you were given: "
        f"{stored.digest}"
    )
    return VerificationCheck(name="digest", status="missing", detail=detail)


def _waivers(stored: StoredRecord | None) -> list[VerificationCheck]:
    """That a record by itself does not show whether somebody signed its waivers."""
    if stored is None or not stored.record.waivers:
        return []
    count = len(stored.record.waivers)
    detail = (
        f"the verdict rests on {count} waiver{'' if count == 1 else 's'}, and a file by itself "
        "does not show who signed them; 'prunegate status' looks in the audit folder"
    )
    return [VerificationCheck(name="waivers", status="missing", detail=detail)]


def _answers(told: SignOffShown | None) -> list[VerificationCheck]:
    """That a copy tells people's answers and does not prove them."""
    if told is None:
        return []
    detail = (
        "this is a later copy, which tells whose answers the audit trail held and proves none of "
        "them; 'prunegate status' looks in the audit folder, and what was signed is another page"
    )
    return [VerificationCheck(name="answers", status="missing", detail=detail)]


def _record(content: bytes, found: _Found) -> Iterator[str]:
    found.stored = parse_record(content, "the record")
    yield f"in canonical form, sha256 {found.stored.digest}"
    yield _follows(found.stored)


def _page(content: bytes, found: _Found) -> Iterator[str]:
    page = _text(content)
    stored = found.stored = parse_carried(carried_record(page), "the record in the page")
    yield f"the page carries it, sha256 {stored.digest}"
    yield _follows(stored)
    pictures = pictures_on(page, stored.record.pictures)
    yield _pictures(len(pictures), len(stored.record.pictures))
    state = found.answers = answers_on(page)
    again = render(
        stored.record,
        digest=stored.digest,
        pictures=pictures,
        content=stored.content,
        state=state,
        charts=_UNDRAWN not in page,
    )
    _require_same(page, packed_as_in(page, again), stored)
    without = "; it was made where charts could not be drawn, and says so" * (_UNDRAWN in page)
    yield f"made again from its record and its pictures: the same, byte for byte{without}"


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EvidenceError(
            f"line {line}: not UTF-8, which every report is; it was changed or damaged"
        ) from error


def _follows(stored: StoredRecord) -> str:
    record = stored.record
    rounded = require_follows(record, "the record")
    count = len(record.findings)
    told = "without a difference"
    if rounded:
        told = f"{rounded:,} numbers differ in their last digits, as on another processor"
    return (
        f"{record.outcome} follows from the record's own policy and tallies: {count:,} "
        f"finding{'' if count == 1 else 's'} worked out again, {told}"
    )


def _pictures(shown: int, named: int) -> str:
    if not named:
        return "none, and the record names none"
    rest = "" if shown == named else f"; {named - shown} more are named and not on this page"
    return f"{shown} of {named} that the record names, each with its digest{rest}"


def _require_same(page: str, again: str, stored: StoredRecord) -> None:
    """Refuse a page that differs, with the first place where it does."""
    if page == again:
        return
    unknown = [name for name in _added_sections(page) if name not in SECTIONS]
    if unknown:
        raise EvidenceError(
            "cannot be made again here, so nothing is known of it: it has sections that this build "
            f"does not have ({escaped(', '.join(unknown))}). Verify it with the program that made "
            "it, or verify the record.json"
        )
    where = difference(page, again)
    other = made_elsewhere(stored.record.tool, DRAWING)
    if other:
        raise EvidenceError(
            f"cannot be made again here, so nothing is known of it: it was made with {other}. "
            f"Install these versions, or verify the record.json. First difference: {where}"
        )
    raise EvidenceError(f"the page was changed after it was made: {where}")


def _added_sections(page: str) -> list[str]:
    """The sections that a page says were added to ours."""
    found = _ADDED.search(page)
    return found[1].split() if found else []


def difference(page: str, again: str) -> str:
    """Where two texts part, with what stands there in each, inert."""
    place = next(
        (i for i, (one, other) in enumerate(zip(page, again, strict=False)) if one != other),
        min(len(page), len(again)),
    )
    line = page.count("\n", 0, place) + 1
    here, there = (_excerpt(text, place) for text in (page, again))
    return f"line {line}: here stands {here}, where the record gives {there}"


def _excerpt(text: str, place: int) -> str:
    part = text[max(0, place - _AROUND) : place + _AROUND]
    return f"\u201c{escaped(part)}\u201d" if part else "nothing"
