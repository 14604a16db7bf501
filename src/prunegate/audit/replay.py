"""Replay: from the stored predictions to the verdict once more, and not one number may differ.

The files are those that the record names by digest, nothing else. Their rows are counted again; the
sums, the flipped rows and every number that follows are held against the record, and the second
opinion is asked again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prunegate.audit.labelling_record import labelling_of
from prunegate.audit.log.folder import EVIDENCE
from prunegate.audit.opinion.agreement import SecondOpinion
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.read import StoredRecord
from prunegate.audit.recompute import RecordDifference, compare, differences, policy_of, verdict_of
from prunegate.audit.record import DecisionRecord, Input
from prunegate.audit.tallied import tallies_of, unpacked_groups
from prunegate.cost.operations import operations
from prunegate.counting.flipped_rows import flipped_rows
from prunegate.counting.labelled_part import LabelledPart
from prunegate.counting.prediction_files import PredictionFiles
from prunegate.counting.read_source import COUNTS, JointCountsFile, ReadSource, read_source
from prunegate.counting.slices import SliceCounts
from prunegate.data.file_hashes import hash_files, require_unchanged
from prunegate.data.predictions.table_files import find_files
from prunegate.errors import EvidenceError, InputError, InternalError
from prunegate.io.hashing import FileHash
from prunegate.policy.schema import Policy
from prunegate.text.escape import escaped
from prunegate.verdict.gate_set_attempt import as_attempted
from prunegate.verdict.waiver import with_waivers

PREDICTIONS = "predictions"
SEPARATE = ("labels", "baseline_predictions", "candidate_predictions")
"""Roles of files that were joined; beside them, predictions are those of both models."""
LISTS = ("label_list", "labelling")
"""Roles of the files behind labels of some rows."""
_SHORTEST = 12
_DIGEST = re.compile(f"[0-9a-f]{{{_SHORTEST},64}}")


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A replay that found no difference."""

    record: str
    """sha256 of the record."""
    outcome: str
    files: int
    """Predictions files whose digests are the record's."""
    rows: int
    findings: int
    rounded: int
    """Numbers that differ in their last digits, as they do on another processor."""
    opinion: SecondOpinion
    """The other engine, asked again over the findings: it agrees."""


def find_record(name: str, audit: Path) -> Path:
    """The file of a record: a path, or a digest (its first 12 digits do) in the audit trail.

    Raises:
        InputError: there is none, or more than one.
    """
    path = Path(name)
    if path.exists():
        return path
    if not _DIGEST.fullmatch(name):
        raise InputError(
            f"{escaped(name)}: no such file, and no such digest in {audit}; give the path of a "
            "record.json, or 12 digits of a record's sha256"
        )
    found = {p.name: p for p in sorted((audit / EVIDENCE).glob(f"{name}*"))}
    if len(found) != 1:
        words = "no record" if not found else f"{len(found)} records"
        raise InputError(
            f"{words} of digest {name} in {audit}; give the path of a record.json, or --audit DIR"
        )
    return next(iter(found.values()))


@contextmanager
def stored_predictions(record: DecisionRecord, audit: Path) -> Iterator[list[Path]]:
    """The record's predictions in the evidence folder, under the names that they had.

    Raises:
        EvidenceError: one of them is not there.
    """
    with TemporaryDirectory(prefix="prunegate-replay-") as folder:
        paths = []
        for number, item in enumerate(_predictions(record)):
            kept = audit / EVIDENCE / str(item.sha256)
            if not kept.is_file():
                raise EvidenceError(
                    f"{escaped(item.name)} (sha256 {item.sha256}) is not in {audit / 'evidence'}; "
                    "give the files with --predictions"
                )
            link = Path(folder) / f"{number}-{Path(item.name).name}"  # the ending says what it is
            link.symlink_to(kept.resolve())
            paths.append(link)
        yield paths


def replay(stored: StoredRecord, predictions: Sequence[str | Path] | LabelledPart) -> Replayed:
    """Count the predictions again and work out everything that follows.

    Args:
        stored: a record that follows from itself (``stored_record``).
        predictions: paths or globs of the very files that the record names; with the labels and
            the frame beside them, where only some rows were labelled.

    Raises:
        EvidenceError: other files, a difference (the first is named), or the second opinion, asked
            again, does not share the verdict.
        InputError: the files cannot be read.
    """
    record = stored.record
    policy = policy_of(record)
    read, hashes = _counted(policy, record, predictions)
    slices = read.counted.slices
    every = [*_of_counts(policy, record, read), *differences(record, slices)]
    require_unchanged(hashes)
    found = next((one for one in every if not one.rounding), None)
    if found is not None:
        raise EvidenceError(f"the predictions do not give this record: {found}")
    return Replayed(
        record=stored.digest,
        outcome=record.outcome,
        files=len(read.table.files),
        rows=slices[0].rows,
        findings=len(record.findings),
        rounded=len(every),
        opinion=_opinion_again(policy, record, slices),
    )


def _counted(
    policy: Policy, record: DecisionRecord, predictions: Sequence[str | Path] | LabelledPart
) -> tuple[ReadSource, list[FileHash]]:
    """The predictions counted again, and the digests of all files.

    Raises:
        EvidenceError: other files than the record's, or labels are missing.
    """
    expected = _predictions(record)
    if not isinstance(predictions, LabelledPart):
        if record.labelling is not None:
            raise EvidenceError(
                "the record was judged on labels of some rows; give the filled-in to-label.csv "
                "with --labels and the labelling.json with --labelling"
            )
        given, hashes = _as_judged(predictions, expected)
        return read_source(policy, given), hashes
    beside = list(hash_files([*predictions.labels, predictions.frame]))
    _require_those(beside, [item for item in record.inputs if item.role in LISTS])
    given, hashes = _as_judged(predictions.predictions, expected)
    read = read_source(policy, replace(predictions, predictions=given))
    if read.part is None or labelling_of(read.part) != record.labelling:
        raise EvidenceError("labelling: these labels and this list do not give the record's counts")
    return read, [*hashes, *beside]


def _as_judged(
    predictions: Sequence[str | Path], expected: Sequence[Input]
) -> tuple[Any, list[FileHash]]:
    """The files in the roles that they had, by their content, and their digests."""
    hashes = list(hash_files(find_files(predictions, mixed=True).paths))
    _require_those(hashes, expected)
    if all(item.role == PREDICTIONS for item in expected):
        return list(predictions), hashes
    if [item.role for item in expected] == [COUNTS]:
        return JointCountsFile(path=hashes[0].path), hashes
    roles: dict[str, list[str]] = {}
    for item in expected:
        roles.setdefault(str(item.sha256), []).append(item.role)
    found: dict[str, list[Path]] = {}
    for one in hashes:
        found.setdefault(roles[one.sha256].pop(0), []).append(one.path)
    return PredictionFiles.of(found), hashes


def _opinion_again(
    policy: Policy, record: DecisionRecord, slices: Sequence[SliceCounts]
) -> SecondOpinion:
    """The second opinion on the verdict as it was worked out again.

    Raises:
        EvidenceError: it disagrees.
    """
    known = operations(policy, record.measurements)
    verdict = verdict_of(policy, slices, known, record.attempt)
    done = with_waivers(policy, verdict, record.waivers)
    try:
        return second_opinion(as_attempted(policy, record.attempt), done.verdict, done.used)
    except InternalError as error:
        raise EvidenceError(f"asked again, {error}") from error


def _predictions(record: DecisionRecord) -> list[Input]:
    """The predictions files that a record names.

    Raises:
        EvidenceError: it names none by digest.
    """
    found = [item for item in record.inputs if item.role in (PREDICTIONS, COUNTS, *SEPARATE)]
    if not found or any(item.sha256 is None for item in found):
        raise EvidenceError(
            "the record names no predictions file by digest (they were judged from memory), so "
            "there is nothing to count again"
        )
    return found


def _require_those(hashes: Sequence[FileHash], expected: Sequence[Input]) -> None:
    """Refuse other files than the record's, each as often as it was judged."""
    here = Counter(found.sha256 for found in hashes)
    named = Counter(str(item.sha256) for item in expected)
    for found in hashes:
        if here[found.sha256] > named[found.sha256]:
            raise EvidenceError(
                f"{escaped(str(found.path))}: sha256 {found.sha256} is not among the predictions "
                f"of the record ({', '.join(sorted(named))[:300]}); it is another file, or was "
                "changed"
            )
    for item in expected:
        if named[str(item.sha256)] > here[str(item.sha256)]:
            raise EvidenceError(
                f"{escaped(item.name)} (sha256 {item.sha256}) was judged too; give it as well"
            )


def _of_counts(
    policy: Policy, record: DecisionRecord, read: ReadSource
) -> Iterator[RecordDifference]:
    """Sums and flipped rows, counted again and as the record has them."""
    kept, again = record.tallies, tallies_of(read.counted.slices)
    for name in ("classes", "slices", "scores"):
        pair = (getattr(tallies, name, ()) for tallies in (kept, again))
        yield from compare(("tallies", name), *pair)
    for name in ("groups", "groups_within"):
        groups = [unpacked_groups(getattr(tallies, name, None)) for tallies in (kept, again)]
        if groups[0] != groups[1]:
            yield RecordDifference(
                where=f"tallies.{name}", got="other sums", expected="the sums of these rows"
            )
    for name in ("ignored", "edges"):
        yield from compare((name,), getattr(record, name), getattr(read.table, name))
    yield from compare(("counts_query",), record.counts_query, read.query)
    flips = [asdict(row) for row in flipped_rows(policy, read.table)] if read.has_rows else []
    yield from compare(("flips",), [_row(flip) for flip in record.flips], flips)


def _row(flip: Any) -> dict[str, Any]:
    """A flip without what was put beside it for people."""
    return {k: v for k, v in asdict(flip).items() if k not in ("image", "text")}
