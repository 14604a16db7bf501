"""What a trail page says that it looked at: what holds, what is broken, what is left open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prunegate.audit.history_read import ReadHistory
from prunegate.text.escape import LONGEST, shorten
from prunegate.text.numbers import number_of


@dataclass(frozen=True, kw_only=True)
class TrailCheck:
    """Something that was verified, or was not."""

    status: str
    text: str


def trail_checks(read: ReadHistory) -> Iterator[TrailCheck]:
    """What was verified of the folder, and what was not."""
    yield from _shown(read)
    yield from _left_open(read)


def _shown(read: ReadHistory) -> Iterator[TrailCheck]:
    """What was verified, and holds."""
    log = read.folder.log
    if log is not None:
        yield TrailCheck(
            status="pass",
            text=f"{number_of(log.checkpoint.size, 'entry', 'entries')} of the log, each as it "
            "was sealed; they give the root that the log’s key signed.",
        )
    if read.records:
        yield TrailCheck(
            status="pass",
            text=f"{number_of(read.records, 'record')}: each has the digest that its decision "
            "names, and its verdict follows from its own policy and counts, worked out again.",
        )
    if any(one.said for chapter in read.history.chapters for one in chapter.decided):
        grown = ", and that the log only grew since each signer saw it" if read.seen else ""
        yield TrailCheck(
            status="pass", text=f"Every signature under a sign-off that this page shows{grown}."
        )
    if read.waivers:
        backed = "; each finding that a record at hand calls waived is backed by one of them"
        yield TrailCheck(
            status="pass",
            text=f"{number_of(len(read.waivers), 'waiver')}: each signature holds over the request "
            f"that is shown{backed if read.records else ''}.",
        )


def _left_open(read: ReadHistory) -> Iterator[TrailCheck]:
    """What could not be verified, and what is broken without harm to the rest."""
    if read.gone:
        yield TrailCheck(
            status="inconclusive",
            text=f"{number_of(read.gone, 'decision')} without a record in the folder: nothing is "
            "known of who had to sign, so none of them is shown as in force.",
        )
    for one in read.folder.unread:
        yield TrailCheck(status="fail", text=f"{shorten(str(one), LONGEST)}.")
    if not read.folder.keys:
        yield TrailCheck(
            status="inconclusive",
            text="Signatures of the gate under entries were not looked at: the folder lists no "
            "public key (signers/).",
        )
    if pending := sum(entry.number is None for entry in read.folder.entries):
        yield TrailCheck(
            status="inconclusive",
            text=f"{number_of(pending, 'entry', 'entries')} not sealed yet: only the folder "
            "vouches for them and for their time.",
        )
    if read.folder.log is None:
        yield TrailCheck(
            status="inconclusive",
            text="There is no log: nothing shows that no entry was changed or left out.",
        )
