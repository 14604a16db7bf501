"""Measurements as a JSON file: written as they are, read with suspicion.

A file may come from another program or another machine. Unknown or doubled keys, wrong types,
negative or non-finite figures are refused, all of them in one message. Whether the figures belong
to the models at hand is decided by digest.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prunegate.cost.measurement import Estimate95, GenerationTiming, Measurements, ModelFigures
from prunegate.cost.measurements_checks import INTERVALS, OF_GENERATION, SELDOM, mistakes_in
from prunegate.errors import MeasurementError
from prunegate.models.digest import difference_in_words
from prunegate.policy.task import Role
from prunegate.text.escape import escaped, shorten

_LARGEST = 1 << 20
_LARGEST_WHOLE = (1 << 53) - 1
FilesOf = Callable[[Role], Mapping[str, str] | None]
"""Of a role, the sha256 by path of the files at hand; None where nobody knows."""
_TAKE_ONE = "take one that 'prunegate measure' or 'prunegate run' wrote"


def write_measurements(measurements: Measurements, path: Path) -> None:
    """Write measurements as indented JSON, keys sorted."""
    path.write_text(measurements_text(measurements), encoding="utf-8")


def measurements_text(measurements: Measurements) -> str:
    """Return the text of a measurements file; batches of other sizes only where there are some."""
    document = asdict(measurements)
    if not measurements.others:
        del document["others"]
    for part in (document, *document.get("others", ())):
        if part["generation"] is None:
            del part["generation"]
        for role in ("baseline", "candidate"):
            for name in SELDOM:
                if part[role][name] is None:
                    del part[role][name]
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_measurements(path: Path) -> Measurements:
    """Read a measurements file.

    Raises:
        MeasurementError: the file cannot be read; every mistake in it is listed.
    """
    try:
        if not path.exists():
            raise MeasurementError(f"{path}: no such file; check the path.")
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise MeasurementError(f"{path}: not a measurements file (a JSON file below 1 MiB).")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MeasurementError(f"{path}: cannot be read as text; check the path.") from error
    return parse_measurements(text, str(path))


def parse_measurements(text: str, name: str) -> Measurements:
    """Read measurements from JSON text; ``name`` is for messages.

    Raises:
        MeasurementError: not JSON, or mistakes, all of which are listed.
    """
    mistakes: list[str] = []
    document = _load(text, name, mistakes)
    mistakes += mistakes_in(document)
    if mistakes:
        lines = "\n".join(f"  {mistake}" for mistake in mistakes)
        raise MeasurementError(
            f"{name}: {len(mistakes)} mistake(s); {_TAKE_ONE}, or correct it:\n{lines}"
        )
    return _build(document)


def check_digests(
    measurements: Measurements,
    baseline_digest: str | None,
    candidate_digest: str | None,
    files_of: FilesOf = lambda _role: None,
) -> None:
    """Refuse figures of other models.

    Args:
        measurements: From a file.
        baseline_digest: Digest of the baseline at hand; None where it is not known (predictions
            only), which is nothing to compare.
        candidate_digest: The candidate's.
        files_of: Tells a mismatch's files.

    Raises:
        MeasurementError: a model at hand is not the one that was measured, or the file does not
            say which was.
    """
    pairs: tuple[tuple[Role, ModelFigures, str | None], ...] = (
        ("baseline", measurements.baseline, baseline_digest),
        ("candidate", measurements.candidate, candidate_digest),
    )
    wrong = [
        _mismatch(role, figures, here, files_of)
        for role, figures, here in pairs
        if here is not None and figures.digest != here
    ]
    if wrong:
        raise MeasurementError(
            f"the measurements are of other models: {'; '.join(wrong)}. Measure these models "
            "('prunegate measure BASELINE CANDIDATE', or 'prunegate run')."
        )


def _mismatch(
    role: Role,
    figures: ModelFigures,
    here: str,
    files_of: FilesOf,
) -> str:
    measured = figures.digest
    was = "has no digest in the file" if measured is None else f"was {measured[:12]} when measured"
    files = files_of(role) if figures.files else None
    differs = f" ({difference_in_words(figures.files, files)})" if figures.files and files else ""
    return f"the {role} {was}, here it is {here[:12]}{escaped(differs)}"


def _load(text: str, name: str, mistakes: list[str]) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        times = Counter(key for key, _ in items)
        doubled = sorted(key for key, n in times.items() if n > 1)
        mistakes.extend(f"key {key!r} occurs more than once in one object" for key in doubled)
        return dict(items)

    def whole(digits: str) -> int:
        value = int(digits)
        if abs(value) > _LARGEST_WHOLE:
            mistakes.append(f"{shorten(digits, 24)} is beyond 2^53, where JSON's numbers end")
        return value

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_int=whole)
    except json.JSONDecodeError as error:
        raise MeasurementError(
            f"{name}:{error.lineno}: not JSON ({error.msg}); {_TAKE_ONE}."
        ) from error
    except (RecursionError, ValueError) as error:
        raise MeasurementError(
            f"{name}: not a measurements file (too deep or too long)."
        ) from error


def _build(document: dict[str, Any]) -> Measurements:
    values = dict(document)
    for role in ("baseline", "candidate"):
        values[role] = ModelFigures(**values[role])
    for key in INTERVALS:
        values[key] = Estimate95(**values[key]) if values.get(key) else None
    if generation := values.get("generation"):
        timed = {key: Estimate95(**generation[key]) for key in OF_GENERATION}
        values["generation"] = GenerationTiming(**{**generation, **timed})
    values["others"] = tuple(_build(one) for one in values.get("others", ()))
    return Measurements(**values)
