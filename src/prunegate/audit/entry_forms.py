"""Entry forms: what an entry of each kind of ours has to hold, whoever put it into the folder.

The log takes any statement, and what it took it keeps. So an entry of a kind that we read is read
whole before it is sealed; one that was sealed all the same (by another program) counts for nothing
and is told. Kinds of others have no form here. Whether signatures hold is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prunegate.audit.approvals.approval import APPROVAL, approval_in
from prunegate.audit.approvals.enrolments import (
    ENROLMENT,
    REVOCATION,
    enrolment_in,
    revocation_in,
)
from prunegate.audit.log.entry import EntryFacts
from prunegate.audit.loosening import LOOSENING
from prunegate.audit.sealed_bar import SEAL
from prunegate.audit.signing.decision import DECISION
from prunegate.audit.signing.ssh_signature import parse_ssh_signature
from prunegate.audit.signing.statement import Statement
from prunegate.audit.waivers.entry import WAIVER, waiver_in
from prunegate.audit.waivers.request import parse_waiver
from prunegate.errors import EvidenceError, InputError


def fault_of(facts: EntryFacts, statement: Statement) -> str | None:
    """What is wrong with an entry of a kind of ours; None: nothing, or it is of another kind."""
    form = _FORMS.get(facts.kind)
    if form is None:
        return None
    try:
        form(facts, statement.predicate)
    except (EvidenceError, InputError) as error:
        return str(error)
    except (KeyError, TypeError, AttributeError, ValueError):
        return f"{_short(facts)}: it does not say what prunegate writes there"
    return None


def require_form(facts: EntryFacts, statement: Statement) -> None:
    """That an entry of a kind of ours can be read, as ``read_entry`` asks for it.

    Raises:
        InputError: it cannot.
    """
    fault = fault_of(facts, statement)
    if fault is not None:
        raise InputError(fault)


def _short(facts: EntryFacts) -> str:
    return f"the {facts.kind.split(':')[2]}"


def _approval(facts: EntryFacts, said: dict[str, Any]) -> None:
    found = approval_in(said, _short(facts))
    found.asked(_short(facts))
    if found.kind == "signed":
        parse_ssh_signature(str(found.signature).encode(), _short(facts))


def _enrolment(facts: EntryFacts, said: dict[str, Any]) -> None:
    enrolment_in(said, _short(facts))


def _revocation(facts: EntryFacts, said: dict[str, Any]) -> None:
    revocation_in(said, _short(facts))


def _waiver(facts: EntryFacts, said: dict[str, Any]) -> None:
    found = waiver_in(said, _short(facts))
    parse_waiver(found.request.encode(), _short(facts))
    parse_ssh_signature(found.signature.encode(), _short(facts))


def _decision(facts: EntryFacts, said: Mapping[str, Any]) -> None:
    _require_texts(said, "record", "outcome", "statement")
    _require_texts(said["policy"], "name")
    if said["record"] not in facts.subjects:
        raise ValueError
    waivers, attempt = said.get("waivers", []), said.get("attempt")
    if not isinstance(waivers, list) or not all(isinstance(one, str) for one in waivers):
        raise TypeError
    if attempt is not None:
        _require_texts(attempt, "gate_set", "contents", "rules")


def _seal(_: EntryFacts, said: Mapping[str, Any]) -> None:
    _require_texts(said, "rules", "gate_set", "contents")
    _require_texts(said["policy"], "name")


def _loosening(_: EntryFacts, said: Mapping[str, Any]) -> None:
    _require_texts(said, "reason")


def _require_texts(said: Mapping[str, Any], *names: str) -> None:
    if not all(isinstance(said[name], str) for name in names):
        raise TypeError


_FORMS: dict[str, Callable[[EntryFacts, dict[str, Any]], None]] = {
    APPROVAL: _approval,
    DECISION: _decision,
    ENROLMENT: _enrolment,
    LOOSENING: _loosening,
    REVOCATION: _revocation,
    SEAL: _seal,
    WAIVER: _waiver,
}
