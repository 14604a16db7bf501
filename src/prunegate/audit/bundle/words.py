"""Words: the README of a bundle, which says what it is and how to check it."""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.audit.bundle import layout
from prunegate.audit.read import StoredRecord
from prunegate.text.escape import escaped

_TEXT = """\
Evidence of one decision: {outcome} for {name}
record {digest}
decided {created} UTC

Open report.html to read it. To check that nothing was changed, you need Python 3.9 or later and
the package cryptography, nothing of ours:

    python verify_record.py .

Each line that it prints begins with proved, not proved or WRONG; exit code 6 means that something
is wrong. Keys that lie in this bundle show that its parts belong together, not who made them. Give
the keys that you were told by another way:

    python verify_record.py . --log-key 'NAME+ID+KEY' --key decides.pub --allowed-signers FILE

Whoever can change this bundle can change verify_record.py too: take it from a release of prunegate,
or read it (it is under 400 lines). With prunegate at hand, 'prunegate verify .' checks the same and
works every number out again.

Files:
{files}
"""


def readme(stored: StoredRecord, files: Sequence[str]) -> str:
    """The README's text.

    Args:
        stored: the record.
        files: names of the bundle's files, sorted.
    """
    record = stored.record
    return _TEXT.format(
        outcome=record.outcome.upper(),
        name=escaped(record.policy.name),
        digest=stored.digest,
        created=record.created,
        files="\n".join(f"    {escaped(name)}" for name in (*files, layout.README)),
    )
