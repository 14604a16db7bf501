"""The ledger: what the audit folder knows of earlier attempts on a gate set, and of sealed bars.

It has no file of its own. Every decision in the audit trail says which attempt it was, and every
sealed bar which gate set it is for; counting them is reading the entries, pending and sealed. So it
knows what that folder knows: attempts that went to another folder, or whose entries were deleted
before they were sealed, are not there.

From the taking of a number until its decision is filed no other gate on this machine takes one from
the same folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prunegate.audit.log.entry import may_name
from prunegate.audit.log.folder import is_log, read_checkpoint, read_locked
from prunegate.audit.log.pending import each_pending
from prunegate.audit.log.tiles import stored_entries
from prunegate.audit.record import Bar
from prunegate.audit.sealed_bar import SEAL, is_looser
from prunegate.audit.signing.decision import DECISION
from prunegate.audit.signing.dsse import parse_envelope
from prunegate.audit.signing.statement import Statement, parse_statement
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.schema import Policy
from prunegate.verdict.gate_set_attempt import GateSetAttempt, promised_of_all, spent

WAIT_S = 600.0
"""How long another gate is waited for."""
_STEP_S = 0.05
_DIGEST_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What makes an attempt itself."""

    gate_set: str
    contents: str
    candidate: tuple[str, ...]
    baseline: tuple[str, ...]
    rules: str
    list: str | None = None
    """sha256 of the list of rows whose labels are looked at; None: every row's are."""
    round: int | None = None
    """Round of labelling of that list."""
    ids: str | None = None
    """sha256 of ids alone: by it labels of some rows and of all are one gate set."""
    in_looks: bool = False
    """The policy allows several looks, which are one attempt together."""

    @property
    def labels(self) -> str:
        """Which labels are looked at: those of a list, or of every row."""
        return self.list or self.gate_set

    def same_as(self, other: Tried) -> bool:
        """The same candidate, baseline, rules and labels; one digest of a model is enough.

        Looks that a policy allows are the same, whichever labels they are at.
        """
        return (
            self.rules == other.rules
            and (self.in_looks or other.in_looks or self.labels == other.labels)
            and not set(self.candidate).isdisjoint(other.candidate)
            and not set(self.baseline).isdisjoint(other.baseline)
        )

    def on_one_gate_set(self, other: Tried) -> bool:
        """The same labels, or the same rows of which one of the two has some labels only."""
        partial = self.list is not None or other.list is not None
        return self.gate_set == other.gate_set or (
            partial and self.ids is not None and self.ids == other.ids
        )


@dataclass(frozen=True, kw_only=True)
class Past:
    """An attempt that an entry of the audit trail tells of."""

    tried: Tried
    number: int
    look: int | None = None
    """Which look of several it was."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Which look at labels an attempt is."""

    number: int
    unjudged: tuple[int, ...] = ()
    """Rounds before its own that no attempt judged; each counts as a look all the same."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What an audit folder says of one gate set."""

    attempts: tuple[Past, ...]
    """In the order of entries: pending, then sealed; the same attempt may occur twice."""
    bars: tuple[Bar, ...]
    """Sealed bars, ``before_predictions`` not yet known."""


def numbered(attempts: Iterable[Past], tried: Tried) -> tuple[int, int]:
    """The number of an attempt, and how many are known with it.

    A number that was given once is not given again: where entries are missing, the highest number
    that is left still counts.
    """
    distinct: list[Past] = []
    own = 0
    highest = 0
    for past in attempts:
        highest = max(highest, past.number)
        if past.tried.same_as(tried):
            own = max(own, past.number)
        if not any(past.tried.same_as(other.tried) for other in distinct):
            distinct.append(past)
    if own:
        return own, max(len(distinct), highest)
    number = max(len(distinct), highest) + 1
    return number, number


def look_of(attempts: Iterable[Past], tried: Tried, looks: int) -> Look | None:
    """Which look at labels an attempt is; the same labels again are the same look.

    Labels of every row are a look as those of a list are. A round that was passed over may have
    been judged where nobody saw it: it counts as a look.

    Raises:
        InputError: the policy's looks are spent, or a later round was judged before.
    """
    if looks == 1:
        return None
    same = [past for past in attempts if past.tried.same_as(tried)]
    judged = {past.tried.round for past in same if past.tried.round is not None}
    unjudged = tuple(n for n in range(1, tried.round or 1) if n not in judged)
    known: dict[str, int] = {}
    for past in same:
        known.setdefault(past.tried.labels, past.look or len(known) + 1)
    if tried.labels in known:
        return Look(number=known[tried.labels], unjudged=unjudged)
    spent = max((len(known), *known.values()))
    if spent >= looks:
        passed = f" ({spent} with rounds passed over)" if spent > len(known) else ""
        raise InputError(
            f"this candidate was looked at {len(known)} times on this gate set{passed}, and the "
            f"policy allows {looks} looks (evidence: looks), labels of every row among them: what "
            "they found stands; label a fresh gate set"
        )
    if tried.round is not None and tried.round < (last := max(judged, default=0)):
        raise InputError(
            f"round {last} of labelling was judged on this gate set before round {tried.round}: "
            "rounds are judged in order, and what the later one found stands; judge the next "
            "('prunegate label --more')"
        )
    return Look(number=max(spent + 1, tried.round or 1), unjudged=unjudged)


def known_in(audit: Path, tried: Tried) -> Known:
    """What the entries of an audit folder say of the gate set of an attempt.

    Raises:
        InputError: a file under ``pending`` is no entry, or the folder cannot be read.
        EvidenceError: the log is not all there, or an entry is malformed.
    """
    attempts: list[Past] = []
    bars: list[Bar] = []
    names = {tried.gate_set, tried.ids or tried.gate_set}
    for name, entry in _entries(audit):
        if not any(may_name(entry, digest) for digest in names):
            continue
        statement = parse_statement(parse_envelope(entry, name).payload, name)
        attempts += [one for one in _attempts(statement, name) if one.tried.on_one_gate_set(tried)]
        bars += _bars(statement, tried.gate_set, entry, name)
    return Known(attempts=tuple(attempts), bars=tuple(bars))


def _entries(audit: Path) -> Iterator[tuple[str, bytes]]:
    """Pending entries first: one that is sealed meanwhile is met twice, and never missed."""
    yield from ((f"pending entry {name[:12]}", entry) for name, entry in each_pending(audit))
    if not is_log(audit):
        return
    with read_locked(audit, WAIT_S):
        size = read_checkpoint(audit).checkpoint.size
        for number, entry in stored_entries(audit, size):
            yield f"entry {number}", entry


def _attempts(statement: Statement, where: str) -> list[Past]:
    said = statement.predicate.get("attempt")
    if statement.predicate_type != DECISION or said is None:
        return []
    with _well_formed(where):
        tried = Tried(
            gate_set=_digest(said["gate_set"]),
            contents=_digest(said["contents"]),
            candidate=tuple(map(_digest, said["candidate"])),
            baseline=tuple(map(_digest, said["baseline"])),
            rules=_digest(said["rules"]),
            list=None if said.get("list") is None else _digest(said["list"]),
            round=None if said.get("round") is None else _count(said["round"]),
            ids=None if said.get("ids") is None else _digest(said["ids"]),
            in_looks=said.get("look") is not None,
        )
        number = said["number"]
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError
        look = None if said.get("look") is None else _count(said["look"])
        return [Past(tried=tried, number=number, look=look)]


def _bars(statement: Statement, gate_set: str, entry: bytes, where: str) -> list[Bar]:
    said = statement.predicate
    if statement.predicate_type != SEAL or said.get("gate_set") != gate_set:
        return []
    with _well_formed(where):
        return [
            Bar(
                entry=hashlib.sha256(entry).hexdigest(),
                sealed_at=str(said["created"]),
                rules=_digest(said["rules"]),
                contents=_digest(said["contents"]),
                at_most=_count(said.get("waivers", {}).get("at_most", 0)),
                max_days=_count(said.get("waivers", {}).get("max_days", 0)),
            )
        ]


def _count(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


@contextmanager
def _well_formed(where: str) -> Iterator[None]:
    """Turn what is missing or misspelt in an entry into evidence that does not verify."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(
            f"{where}: what it says of its gate set is not what prunegate writes; see 'prunegate "
            "audit verify'"
        ) from error


def _digest(value: Any) -> str:
    if not isinstance(value, str) or len(value) != _DIGEST_LENGTH:
        raise ValueError
    return value


def bar_of(bars: Sequence[Bar], attempt: GateSetAttempt, predicted_at: str | None) -> Bar | None:
    """The sealed bar of a verdict: the earliest that is the same, else the latest of another.

    Args:
        bars: sealed for this gate set.
        attempt: the verdict's.
        predicted_at: when its predictions were made (UTC, ISO 8601, seconds, Z), where known.
    """
    if not bars:
        return None
    held = [b for b in bars if (b.rules, b.contents) == (attempt.rules, attempt.contents)]
    held = [b for b in held if not b.looser] or held
    found = min(held, key=_sealed_at) if held else max(bars, key=_sealed_at)
    before = None if predicted_at is None else found.sealed_at < predicted_at
    return replace(found, before_predictions=before)


def _sealed_at(bar: Bar) -> str:
    return bar.sealed_at


class Ledger:
    """The ledger of one audit folder; a number taken from it is kept until the ``with`` ends."""

    def __init__(self, audit: Path, wait_s: float = WAIT_S) -> None:
        self._audit = audit
        self._wait_s = wait_s
        self._held: list[int] = []

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        while self._held:
            os.close(self._held.pop())

    @property
    def audit(self) -> Path:
        """The folder that it speaks of."""
        return self._audit

    def take(
        self, policy: Policy, tried: Tried, predicted_at: str | None = None
    ) -> tuple[GateSetAttempt, Bar | None]:
        """The number of an attempt, and the bar that was sealed for it.

        Raises:
            InputError: another gate keeps the folder too long, or the folder cannot be read.
            EvidenceError: the folder's entries do not verify.
        """
        self._hold()
        tried = replace(tried, in_looks=policy.evidence.looks > 1)
        known = known_in(self._audit, tried)
        number, count = numbered(known.attempts, tried)
        look = look_of(known.attempts, tried, policy.evidence.looks)
        attempt = GateSetAttempt(
            gate_set=tried.gate_set,
            contents=tried.contents,
            candidate=tried.candidate,
            baseline=tried.baseline,
            rules=tried.rules,
            number=number,
            known=count,
            reuse=policy.evidence.reuse,
            alpha=spent(policy, number),
            alpha_of_all=promised_of_all(policy),
            look=None if look is None else look.number,
            unjudged=(look.unjudged or None) if look else None,
            list=tried.list,
            round=tried.round,
            ids=tried.ids,
        )
        bars = [replace(bar, looser=is_looser(policy, bar)) for bar in known.bars]
        return attempt, bar_of(bars, attempt, predicted_at)

    def _hold(self) -> None:
        """Lock the audit folder itself; while it is not there, the nearest folder above it."""
        if self._held:
            return
        until = time.monotonic() + self._wait_s
        while True:
            place = _nearest(self._audit)
            handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._held.append(handle)
            self._lock(handle, until)
            if _nearest(self._audit) == place:
                return
            os.close(self._held.pop())  # made meanwhile

    def _lock(self, handle: int, until: float) -> None:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    raise InputError(
                        f"{self._audit}: another gate is taking its number from this audit trail; "
                        "let it finish and run this again"
                    ) from error
                time.sleep(_STEP_S)
            except OSError:
                return  # a file system without locks: see docs/audit.md
            else:
                return


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.is_dir())
