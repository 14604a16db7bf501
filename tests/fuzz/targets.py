"""A fuzz target: a reader of somebody else's bytes, and what it may answer.

Whatever the bytes are, a reader gives a value or refuses: an error of ours with exit code 2 or 6.
Everything else (another exception, a hang, much memory) is a finding. Where reading succeeds, what
was read has to be writable again and to read back as the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prunegate.errors import InputError, PrunegateError

CORPUS = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parents[2]
REFUSALS = frozenset({2, 6})
"""Exit codes of bad input and of evidence that does not verify."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A reader under test."""

    name: str
    """Also the folder of its corpus."""
    read: Callable[[bytes], object]
    """Reads the bytes, and reads back what it has read."""

    def try_on(self, content: bytes) -> bool:
        """Whether the reader takes the bytes.

        Raises:
            Exception: whatever is neither a value nor a refusal.
        """
        try:
            self.read(content)
        except PrunegateError as error:
            if error.exit_code not in REFUSALS:
                raise
            return False
        return True

    def corpus(self) -> Iterator[Path]:
        """The files that are kept for it."""
        return iter(sorted((CORPUS / self.name).iterdir()))


def _text(content: bytes) -> str:
    """A text, whatever the bytes are."""
    return content.decode("utf-8", "replace")


def _policy(content: bytes) -> None:
    from prunegate.policy.explain import explain_policy
    from prunegate.policy.load import parse_policy

    assert explain_policy(parse_policy(_text(content)))


def _claims(content: bytes) -> None:
    from prunegate.policy.load_claims import parse_claims

    parse_claims(_text(content))


def _record(content: bytes) -> None:
    from prunegate.audit.read import parse_carried, parse_record
    from prunegate.audit.recompute import require_follows

    stored = parse_carried(_text(content), "record.json")
    assert parse_record(stored.content, "record.json").digest == stored.digest
    require_follows(stored.record, "record.json")


def _measurements(content: bytes) -> None:
    from prunegate.cost.measurements_file import parse_measurements

    parse_measurements(_text(content), "measurements.json")


def _statement(content: bytes) -> None:
    from prunegate.audit.signing.statement import parse_statement

    assert parse_statement(content).to_bytes() == content


def _envelope(content: bytes) -> None:
    from prunegate.audit.signing.dsse import parse_envelope

    parse_envelope(content)


def _ssh_signature(content: bytes) -> None:
    from prunegate.audit.signing.ssh_signature import parse_ssh_signature

    parse_ssh_signature(content)


def _public_key(content: bytes) -> None:
    from prunegate.audit.signing.keys import openssh_line, parse_public_key

    key = parse_public_key(content, "a key")
    assert openssh_line(parse_public_key(openssh_line(key).encode(), "again")) == openssh_line(key)


def _allowed_signers(content: bytes) -> None:
    from prunegate.audit.signing.allowed_signers import parse_allowed_signers

    parse_allowed_signers(_text(content), "allowed_signers")


def _checkpoint(content: bytes) -> None:
    from prunegate.audit.log.checkpoint import parse_checkpoint

    parse_checkpoint(content)


def _tlog_proof(content: bytes) -> None:
    from prunegate.audit.log.tlog_proof import parse_tlog_proof

    parse_tlog_proof(content)


def _trust_policy(content: bytes) -> None:
    from prunegate.audit.log.trust_policy import parse_trust_policy

    parse_trust_policy(content)


def _verifier_key(content: bytes) -> None:
    from prunegate.audit.log.note import parse_vkey

    parse_vkey(_text(content))


def _entry(content: bytes) -> None:
    from prunegate.audit.log.entry import read_entry

    read_entry(content)


def _approval_request(content: bytes) -> None:
    from prunegate.audit.approvals.request import parse_request

    parse_request(content, "approval-request.json")


def _waiver_request(content: bytes) -> None:
    from prunegate.audit.waivers.request import parse_waiver

    parse_waiver(content, "waiver.json")


def _labelling(content: bytes) -> None:
    from prunegate.counting.labelled_part import read_frame

    with _file("labelling.json", content) as path:
        read_frame(path)


def _label_list(content: bytes) -> None:
    from prunegate.counting.labelled_part import answered_ids

    with _file("to-label.csv", content) as path:
        answered_ids(_a_policy(), [path])


def _labelled_table(content: bytes) -> None:
    from prunegate.data.labelled.table import read_rows
    from prunegate.policy.load import parse_policy

    policy = parse_policy(_A_RUN)
    with _file("rows.csv", content) as path:
        read_rows(policy, path.parent)


def _notes(content: bytes) -> None:
    """What a Parquet file says of its making: never an error, and what a record can hold."""
    from prunegate.audit.canonical import canonical_bytes
    from prunegate.audit.prediction_metadata import (
        environment_of,
        notes_of,
        predicted_at,
        saturation_warnings,
    )

    found = notes_of({b"prunegate.predicted": content, b"prunegate.baseline.digest": content})
    if not found.environment:
        raise InputError("nothing is said")
    told = saturation_warnings(found.saturating)
    canonical_bytes([environment_of([found]), predicted_at([found]), *told])


def _answers(content: bytes) -> None:
    """Whose answers a copy of a page tells, and the box that it shows them in."""
    import html

    from prunegate.report.told_answers import answers_on, carried_answers

    told = html.escape(_text(content), quote=True)
    state = answers_on(f'<meta name="prunegate-answers" content="{told}"><body>')
    if state is None:
        raise InputError("more than a page tells")
    again = html.escape(carried_answers(state), quote=True)
    assert answers_on(f'<meta name="prunegate-answers" content="{again}"><body>') == state


def _carried_record(content: bytes) -> None:
    from prunegate.audit.read import parse_carried
    from prunegate.report.embedded_record import carried_record

    parse_carried(carried_record(_text(content)), "the record in the page")


def _bundle(content: bytes) -> None:
    """A zip with anything in it: every check has an answer."""
    from prunegate.audit.bundle.layout import read_bundle
    from prunegate.audit.bundle.verify import Trusted, checks

    with _file("bundle.zip", content) as path:
        assert list(checks(read_bundle(path), Trusted()))


def _surgery(content: bytes) -> None:
    from prunegate.models.surgery_json import from_json, to_json

    found = from_json(content)
    assert from_json(to_json(found)) == found


def _expectations(content: bytes) -> None:
    from prunegate.policy.load import parse_policy

    parse_policy(_AN_EXPECTATION + _text(content))


def _picture(content: bytes) -> None:
    from prunegate.data.labelled.thumbnails import picture_to_label, thumbnail

    with _file("picture", content) as path:
        assert thumbnail(path)
        assert picture_to_label(path)


def _model_config(content: bytes) -> None:
    from prunegate.models.config_json import parse_object

    parse_object(content, "config.json")


_A_RUN = """
prunegate: 1
name: a-run
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind}]
rules: [{metric: recall, max_drop: 0.02}]
data: {table: rows.csv}
"""
_AN_EXPECTATION = """
prunegate: 1
name: expecting
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.02}]
data:
  expect:
"""


@cache
def _a_policy() -> Any:
    from prunegate.policy.load import parse_policy

    return parse_policy((CORPUS / "policy" / "two-slices.yaml").read_text(encoding="utf-8"))


def _table(name: str) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        from prunegate.counting.read_source import read_source

        with _file(name, content) as path:
            read_source(_a_policy(), path)

    return read


def _counts(content: bytes) -> None:
    from prunegate.counting.counts_file import read_counts_file

    with _file("counts.csv", content) as path:
        read_counts_file(_a_policy(), path)


@contextmanager
def _file(name: str, content: bytes) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        yield path


def _weights(content: bytes) -> None:
    from prunegate.models.weights import read_weights

    read_weights(content)


def _onnx(content: bytes) -> None:
    from prunegate.models.onnx_file import read_onnx

    read_onnx(content)


TARGETS = tuple(
    Target(name=name, read=read)
    for name, read in (
        ("policy", _policy),
        ("claims", _claims),
        ("record", _record),
        ("measurements", _measurements),
        ("statement", _statement),
        ("envelope", _envelope),
        ("ssh-signature", _ssh_signature),
        ("public-key", _public_key),
        ("allowed-signers", _allowed_signers),
        ("checkpoint", _checkpoint),
        ("tlog-proof", _tlog_proof),
        ("trust-policy", _trust_policy),
        ("verifier-key", _verifier_key),
        ("entry", _entry),
        ("approval-request", _approval_request),
        ("waiver-request", _waiver_request),
        ("labelling", _labelling),
        ("label-list", _label_list),
        ("labelled-table", _labelled_table),
        ("expectations", _expectations),
        ("notes", _notes),
        ("answers", _answers),
        ("carried-record", _carried_record),
        ("bundle", _bundle),
        ("model-config", _model_config),
        ("surgery", _surgery),
        ("picture", _picture),
        ("csv-table", _table("predictions.csv")),
        ("json-lines-table", _table("predictions.jsonl")),
        ("parquet-table", _table("predictions.parquet")),
        ("counts", _counts),
        ("weights", _weights),
        ("onnx", _onnx),
    )
)
"""Every reader of files that strangers write."""
