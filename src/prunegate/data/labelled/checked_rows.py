"""Checked: labelled rows, their content hashes and what the data contract says of them.

The one way from a policy to its labelled data, for whoever only checks and for whoever goes on.
No model library is imported here.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from prunegate.data.contract.contract import ContractReport, check_contract, with_expectations
from prunegate.data.file_hashes import hash_files
from prunegate.data.labelled.labelled_expectations import judge_labelled
from prunegate.data.labelled.rows import LabelledRows
from prunegate.data.labelled.table import read_rows
from prunegate.io.hashing import FileHash
from prunegate.io.progress import Progress, silent
from prunegate.policy.schema import Policy


def text_hashes(rows: LabelledRows) -> tuple[str, ...]:
    """The sha256 of every row's text, lower-case hexadecimal; of prompt and reference, in turn."""
    if rows.reads == "documents":
        pairs = zip(rows.prompts, rows.references, strict=True)
        # A hash each, so that a character cannot move from the one to the other unnoticed.
        return tuple(_sha256(_sha256(prompt) + _sha256(reference)) for prompt, reference in pairs)
    return tuple(map(_sha256, rows.texts))


def _sha256(text: str) -> str:
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class CheckedRows:
    """Labelled data and the contract's findings on them; ``report.require()`` insists on it."""

    rows: LabelledRows
    hashes: tuple[FileHash, ...]
    """Of each row's image, in the rows' order; empty for texts, which are in the table itself."""
    report: ContractReport


def check_rows(policy: Policy, folder: Path, progress: Progress = silent) -> CheckedRows:
    """Read, hash and check the labelled rows of a policy.

    Args:
        policy: its ``data`` section names the table.
        folder: what the policy's paths are relative to.
        progress: called with the stage, how much is done, and the total.

    Raises:
        InputError: the table or an image cannot be read. A broken contract is in the report.
    """
    rows = read_rows(policy, folder)
    paths = rows.paths
    done, total = 0, len(set(paths))

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress("hash the images", done, total)

    hashes = hash_files(paths, advance=advance) if rows.reads == "images" else ()
    contents = [found.sha256 for found in hashes] if hashes else text_hashes(rows)
    progress("check the data contract", 0, 1)
    report = check_contract(rows, policy, contents)
    if policy.data.expect:
        report = with_expectations(report, judge_labelled(policy, folder))
    progress("check the data contract", 1, 1)
    return CheckedRows(rows=rows, hashes=hashes, report=report)
