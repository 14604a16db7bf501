"""GitHub Actions: annotations on the run, and the page that stands under it.

A workflow command is a line ``::error file=...,title=...::message``; GitHub shows ten errors and
ten warnings of a step, so the worst come first. Nothing from data can begin a command of its own:
line ends are escaped as GitHub asks for, and everything invisible is an escape already.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from prunegate.audit.record import DecisionRecord
from prunegate.errors import InputError
from prunegate.outputs.short_words import ShortWords, urgent
from prunegate.report.own_threshold import in_english
from prunegate.report.warnings import warnings
from prunegate.text.escape import shorten
from prunegate.text.numbers import plain

MOST = 10
"""Annotations of a kind that GitHub shows of one step."""
_LONGEST = 500


def github_annotations(record: DecisionRecord, file: str) -> list[str]:
    """Workflow commands for what is broken or open, what is warned of, and a threshold of its own.

    Args:
        record: the decision.
        file: the policy, as a path in the repository; empty: none is named.
    """
    words = ShortWords.of(record)
    title = f"prunegate {record.outcome.upper()} {record.policy.name}"
    blocking = (
        "; ".join(part for part in (words.line(f), words.to_do(f)) if part)
        for f in urgent(record.findings)
        if f.severity == "block" and f.status != "waived"
    )
    errors = list(islice(blocking, MOST))
    if record.outcome != "approve" and not errors:
        errors = list(record.reasons[:MOST]) or ["nothing was judged"]
    told = warnings(record, others=MOST, losses=0).others
    shipped = in_english(record)
    return [
        *_commands("notice", [shipped] if shipped else [], file, title),
        *_commands("error", errors, file, title),
        *_commands("warning", told, file, title),
    ]


def _commands(
    kind: str, texts: list[str] | tuple[str, ...], file: str, title: str
) -> Iterator[str]:
    where = f"file={_property(file)}," if file else ""
    for text in texts:
        yield f"::{kind} {where}title={_property(title)}::{_data(text)}"


def failure_annotation(message: str) -> str:
    """The workflow command of a run without a verdict."""
    return f"::error title=prunegate%3A nothing was judged::{_data(message)}"


def _data(text: str) -> str:
    """A message in which no line ends, as GitHub's own toolkit escapes it."""
    shown = shorten(plain(text), _LONGEST)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def append_step_summary(path: Path, text: str) -> None:
    """Add a page to those of the step.

    Raises:
        InputError: the file that GITHUB_STEP_SUMMARY names cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except OSError as error:
        raise InputError(
            f"GITHUB_STEP_SUMMARY: {path} cannot be written ({error.strerror}); unset it, or give "
            "--ci none"
        ) from error
