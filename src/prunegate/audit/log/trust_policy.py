"""Trust policy (C2SP tlog-policy): whose signatures make a checkpoint worth believing.

::

    log example.com/audit+<id>+<key>
    witness client client.example+<id>+<key>
    witness auditor auditor.example+<id>+<key>
    group either any client auditor
    quorum either

A checkpoint counts if one of the logs signed it and the quorum's witnesses cosigned it. Names are
opaque octets and only mean something inside the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, field

from prunegate.audit.log.checkpoint import SignedCheckpoint
from prunegate.audit.log.note import (
    COSIGNATURE,
    ED25519,
    NoteSignature,
    VerifierKey,
    parse_vkey,
    verified_signatures,
)
from prunegate.errors import EvidenceError, InputError
from prunegate.text.escape import escaped

NONE = "none"
"""The predefined quorum that asks for no cosignature."""

_OCTETS = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_BLANKS = re.compile(r"[ \t]+")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_LARGEST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Party:
    """A log or a witness as one line names it."""

    name: str
    """A witness's name inside the file; a log's origin."""
    key: VerifierKey
    """The key that its signatures are checked with."""
    url: str | None = None
    """Where it can be reached; only carried."""


@dataclass(frozen=True, kw_only=True)
class WitnessGroup:
    """A group of witnesses and groups, k of whom stand for it."""

    name: str
    """Its name inside the file."""
    needed: int
    """How many members must have cosigned (k)."""
    members: tuple[str, ...]
    """Names of witnesses and of groups defined before."""


@dataclass(frozen=True, kw_only=True)
class TrustPolicy:
    """Known logs, known witnesses, and the quorum."""

    logs: tuple[Party, ...]
    """Logs whose checkpoints are accepted."""
    witnesses: tuple[Party, ...] = ()
    """Witnesses whose cosignatures are known."""
    groups: tuple[WitnessGroup, ...] = ()
    """Groups, each defined after its members."""
    quorum: str = NONE
    """Name of the witness or group that must have cosigned, or ``none``."""

    def format(self) -> bytes:
        """The file's bytes: logs, witnesses, groups, quorum."""
        logs = [f"log {p.key}{f' {p.url}' if p.url else ''}" for p in self.logs]
        witnesses = [
            f"witness {p.name} {p.key}{f' {p.url}' if p.url else ''}" for p in self.witnesses
        ]
        groups = [f"group {g.name} {g.needed} {' '.join(g.members)}" for g in self.groups]
        lines = [*logs, *witnesses, *groups, f"quorum {self.quorum}"]
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")

    def satisfied(self, cosigners: Collection[str]) -> bool:
        """Whether the witnesses of these names make the quorum."""
        holds = {party.name: party.name in cosigners for party in self.witnesses}
        holds[NONE] = True
        for group in self.groups:
            holds[group.name] = sum(holds[name] for name in group.members) >= group.needed
        return holds[self.quorum]


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Who vouches for a checkpoint, by a trust policy."""

    log: Party
    """The log that signed it."""
    cosignatures: Mapping[str, NoteSignature]
    """Verified cosignatures by the name of their witness."""
    quorum_met: bool
    """Whether they are enough."""


def judge_checkpoint(policy: TrustPolicy, signed: SignedCheckpoint) -> Trust:
    """Verify a checkpoint's signatures against a policy.

    A quorum that is not met is told in the result; everything else that is wrong is raised.

    Raises:
        EvidenceError: no log of the policy signed it under its origin, or a signature of a known
            key does not verify.
    """
    origin = signed.checkpoint.origin
    log = next((p for p in policy.logs if p.key.name == origin), None)
    if log is None:
        known = ", ".join(escaped(p.key.name) for p in policy.logs) or "no log"
        raise EvidenceError(
            f"the checkpoint is of the log {escaped(origin)}; the trust policy names {known}"
        )
    keys = [p.key for p in policy.logs if p.key.name == origin]
    found = verified_signatures(signed.note, [*keys, *(p.key for p in policy.witnesses)])
    signers = [p for p in policy.logs if p.key in found and p.key.name == origin]
    if not signers:
        raise EvidenceError(
            f"the checkpoint carries no signature of the log's key {log.key.key_id.hex()}"
            f" ({escaped(origin)}): another key signed it, or the trust policy is another log's"
        )
    cosigned = {p.name: found[p.key] for p in policy.witnesses if p.key in found}
    return Trust(log=signers[0], cosignatures=cosigned, quorum_met=policy.satisfied(cosigned))


def parse_trust_policy(content: bytes) -> TrustPolicy:
    """Read a tlog-policy file; every mistake is told, each with its line.

    Raises:
        InputError: it is not a trust policy.
    """
    if len(content) > _LARGEST:
        raise InputError("a trust policy of more than a megabyte is not read")
    if not _OCTETS.fullmatch(content) or not content.endswith(b"\n"):
        raise InputError("the trust policy holds control characters or its last line is not ended")
    reading = _Reading()
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), start=1):
        words = _BLANKS.split(line.strip(" \t"))
        if words[0] and not words[0].startswith("#"):
            reading.take(number, words)
    if reading.quorum is None:
        reading.mistakes.append("no quorum line; write 'quorum none' to ask for no witness")
    if reading.mistakes:
        noun = "mistake" if len(reading.mistakes) == 1 else "mistakes"
        lines = "\n".join(f"  {mistake}" for mistake in reading.mistakes)
        raise InputError(f"{len(reading.mistakes)} {noun} in the trust policy:\n{lines}")
    return TrustPolicy(
        logs=tuple(reading.logs),
        witnesses=tuple(reading.witnesses),
        groups=tuple(reading.groups),
        quorum=reading.quorum or NONE,
    )


@dataclass(kw_only=True)
class _Reading:
    """What the lines so far have defined."""

    logs: list[Party] = field(default_factory=list)
    witnesses: list[Party] = field(default_factory=list)
    groups: list[WitnessGroup] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    mistakes: list[str] = field(default_factory=list)

    def take(self, number: int, words: list[str]) -> None:
        readers = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        keyword, *rest = words
        reader = readers.get(keyword)
        if reader is None:
            shown = escaped(keyword)[:40]
            mistakes: Iterator[str] = iter([f"{shown}: known are log, witness, group, quorum"])
        else:
            mistakes = reader(rest)
        self.mistakes += [f"line {number}: {mistake}" for mistake in mistakes]

    def _log(self, words: list[str]) -> Iterator[str]:
        if len(words) not in (1, 2):
            yield "a log line reads: log <vkey> [<url>]"
            return
        key = yield from _key(words[0], ED25519, "a log", self.logs)
        if key:
            self.logs.append(Party(name=key.name, key=key, url=_second(words, 1)))

    def _witness(self, words: list[str]) -> Iterator[str]:
        if len(words) not in (2, 3):
            yield "a witness line reads: witness <name> <vkey> [<url>]"
            return
        yield from self._define(words[0])
        key = yield from _key(words[1], COSIGNATURE, "a witness", self.witnesses)
        if key:
            self.witnesses.append(Party(name=words[0], key=key, url=_second(words, 2)))

    def _group(self, words: list[str]) -> Iterator[str]:
        if len(words) < 3:
            yield "a group line reads: group <name> all|any|<k> <name>..."
            return
        name, count, *members = words
        for member in members:
            if member not in self.names:
                yield f"{escaped(member)} is not defined on a line before"
            elif member in self.members:
                yield f"{escaped(member)} is already a member of a group"
            self.members.add(member)
        yield from self._define(name)
        needed = {"all": len(members), "any": 1}.get(count)
        if needed is None and _COUNT.fullmatch(count):
            needed = int(count)
        if needed is None or needed > len(members):
            yield f"{escaped(count)}: all, any or a number from 1 to {len(members)}"
            return
        self.groups.append(WitnessGroup(name=name, needed=needed, members=tuple(members)))

    def _quorum(self, words: list[str]) -> Iterator[str]:
        if len(words) != 1:
            yield "a quorum line reads: quorum <name>"
        elif self.quorum is not None:
            yield "a second quorum line; there must be exactly one"
        elif words[0] not in self.names | {NONE}:
            yield f"{escaped(words[0])} is not defined on a line before"
        self.quorum = words[0] if words else NONE

    def _define(self, name: str) -> Iterator[str]:
        if name == NONE or name in self.names:
            yield f"the name {escaped(name)} is already taken"
        self.names.add(name)


def _key(
    text: str, kind: int, what: str, parties: list[Party]
) -> Generator[str, None, VerifierKey | None]:
    """The key of a line, or the mistakes in it."""
    try:
        key = parse_vkey(text)
    except InputError as error:
        yield str(error)
        return None
    if key.kind != kind:
        name = escaped(key.name)
        yield f"{name}: {what} has a key of type 0x{kind:02x}, this is 0x{key.kind:02x}"
    if any(key.material == party.key.material for party in parties):
        yield f"{escaped(key.name)}: this public key is already on another line"
    return key


def _second(words: list[str], at: int) -> str | None:
    return words[at] if len(words) > at else None
