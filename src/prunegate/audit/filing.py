"""Filing: a decision goes into the audit trail, as one entry and the evidence that it names.

``audit/pending/<sha256>`` holds the entry (a DSSE envelope around the decision statement, with a
signature where there is a key), small enough for the log; record, report and the twin that other
policy engines read lie under ``audit/evidence/<sha256>``. ``prunegate audit seal`` takes the entry
into the log later; until then it is kept, and every name is a content's, so that branches merge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from prunegate.audit.log.durable_files import make_folder, sync_folder, write_durably
from prunegate.audit.log.folder import EVIDENCE
from prunegate.audit.log.pending import FOLDER, add_pending
from prunegate.audit.signing.decision import RECORD, REPORT, decision_statement
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.statement import Subject
from prunegate.audit.signing.test_result import result_statement
from prunegate.errors import InputError
from prunegate.io.partial import sweep

if TYPE_CHECKING:
    from prunegate.audit.read import StoredRecord
    from prunegate.audit.signing.keys import PrivateKey

RESULT = "test-result.intoto.json"
"""The twin: the same decision in the vocabulary of in-toto's test results, in its own envelope."""


@dataclass(frozen=True, kw_only=True)
class Filing:
    """What one decision adds to the audit trail."""

    entry: bytes
    evidence: tuple[bytes, ...]


def filing_of(
    stored: StoredRecord,
    report: bytes,
    key: PrivateKey | None = None,
    beside: Mapping[str, bytes] = MappingProxyType({}),
) -> Filing:
    """The entry of a decision that follows from its record, and its evidence.

    Args:
        stored: from ``kept_form``.
        report: the page's bytes.
        key: signs the entry; None: nobody but the log will vouch for it.
        beside: further evidence, by name.

    Raises:
        EvidenceError: the record cannot be stated.
    """
    keys = [] if key is None else [key]
    record_sha256 = _sha256(stored.content)
    twin = sign_envelope(result_statement(stored.record, record_sha256).to_bytes(), keys)
    named = {RECORD: stored.content, REPORT: report, RESULT: twin, **beside}
    statement = decision_statement(
        stored.record,
        record_sha256,
        report_sha256=_sha256(report),
        evidence=[Subject(name=name, sha256=_sha256(content)) for name, content in named.items()],
    )
    return Filing(entry=sign_envelope(statement.to_bytes(), keys), evidence=tuple(named.values()))


@contextmanager
def filed(filing: Filing, audit: Path) -> Iterator[Path]:
    """Keep a filing while the block publishes it; if that fails, what was added goes again.

    What was there before stays: it belongs to an earlier verdict.

    Raises:
        InputError: the folder cannot be written.
    """
    places = {audit / EVIDENCE / _sha256(content): content for content in filing.evidence}
    entry = audit / FOLDER / _sha256(filing.entry)
    added = [place for place in (*places, entry) if not place.exists()]
    folders = (entry.parent, audit / EVIDENCE, audit, *audit.parents)
    made = [folder for folder in folders if not folder.exists()]
    try:
        _keep(places, audit)
        yield add_pending(filing.entry, audit)
    except BaseException:
        for place in added:
            with suppress(OSError):  # never made
                place.unlink()
        for folder in made:
            with suppress(OSError):  # not empty (somebody else's), or never made
                folder.rmdir()
        raise


def _keep(places: dict[Path, bytes], audit: Path) -> None:
    try:
        make_folder(audit / EVIDENCE)
        for folder in (audit / EVIDENCE, audit / FOLDER):  # of a run that was killed
            sweep(folder)
        for place, content in places.items():
            if not place.exists():
                write_durably(place, content)
        sync_folder(audit / EVIDENCE)
    except OSError as error:
        raise InputError(
            f"{audit}: the audit evidence cannot be written ({error.strerror})"
        ) from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
