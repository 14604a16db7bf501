"""Verify a bundle: its page and record as any page, and everything that stands around them."""

from __future__ import annotations

from pathlib import Path

from prunegate.audit.bundle.layout import read_bundle
from prunegate.audit.bundle.verify import Trusted, checks
from prunegate.audit.signing.decision import RECORD, REPORT
from prunegate.audit.verification_report import BEYOND, Verification, VerificationCheck
from prunegate.errors import EvidenceError
from prunegate.report.verify_page import verify_content

_PAGE = ("record", "verdict", "pictures", "page")


def verify_bundle(path: Path, trusted: Trusted | None = None) -> Verification:
    """Check a bundle, a folder or a zip; what is wrong with it is a check, not an error.

    Args:
        path: of the bundle.
        trusted: what the reader knows from elsewhere.

    Raises:
        InputError: there is no such folder or zip.
    """
    try:
        files = read_bundle(path)
    except EvidenceError as error:
        return _of([VerificationCheck(name="files", status="broken", detail=str(error))])
    around = list(checks(files, trusted or Trusted()))
    if REPORT not in files:
        return _of(
            [*around, VerificationCheck(name="page", status="broken", detail=f"lacks {REPORT}")]
        )
    page = verify_content(files[REPORT], ".html")
    own = [check for check in page.checks if check.name in _PAGE]
    record = verify_content(files.get(RECORD, b""), ".json")
    if record.record != page.record or page.record is None:
        detail = f"{REPORT} carries another record than {RECORD}"
        own.append(VerificationCheck(name="digest", status="broken", detail=detail))
    return _of([*own, *around], page.record, page.outcome)


def _of(
    found: list[VerificationCheck], record: str | None = None, outcome: str | None = None
) -> Verification:
    """All checks; one of whatever may be required is always there."""
    there = {check.name for check in found}
    rest = [
        VerificationCheck(
            name=name, status="not checked", detail="what comes before it does not hold"
        )
        for name in BEYOND
        if name not in there
    ]
    return Verification(kind="bundle", record=record, outcome=outcome, checks=(*found, *rest))
