"""Write: the files that every verdict leaves behind, from one record."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from prunegate.audit.canonical import canonical_bytes, digest
from prunegate.audit.record import DecisionRecord
from prunegate.errors import InputError
from prunegate.outputs.findings_csv import render_findings_csv
from prunegate.outputs.junit import render_junit
from prunegate.outputs.summary import render_summary
from prunegate.report import render

REPORT = "report.html"


def write_files(record: DecisionRecord, pictures: Mapping[str, bytes], folder: Path) -> str:
    """Write report.html, record.json, summary.md, junit.xml and findings.csv; return the digest.

    Args:
        record: the decision.
        pictures: image bytes of flipped rows, by row id.
        folder: an existing folder.

    Raises:
        InputError: the folder cannot be written (a full disk, for example).
    """
    named = digest(record)
    contents = {
        "record.json": canonical_bytes(record),
        REPORT: render(record, digest=named, pictures=pictures).encode(),
        "summary.md": render_summary(record, named).encode(),
        "junit.xml": render_junit(record).encode(),
        "findings.csv": render_findings_csv(record).encode(),
    }
    for name, content in contents.items():
        write_whole(folder / name, content)
    return named


def require_new(path: Path, *, force: bool) -> None:
    """Refuse a file's place before anything takes long; nothing is made yet.

    Raises:
        InputError: a folder, or a file that is there without ``force``.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    if path.exists() and not force:
        raise InputError(f"{path} is there already; name another file, or add --force")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole or not at all.

    Raises:
        InputError: it cannot be written (a full disk, for example).
    """
    handle, name = -1, ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".partial-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        if name:
            Path(name).unlink(missing_ok=True)
