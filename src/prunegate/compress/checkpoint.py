"""Checkpoints: what a recipe has done so far, kept after each operation so that it can go on.

The folder belongs to one piece of work (its name says so: it is a digest of everything that decides
the outcome), so what is found there is taken up without questions asked of its meaning; a state
that is damaged is left alone and the work starts anew. A state appears whole or not at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.errors import ModelError, PrunegateError
from prunegate.io.atomic import replace_file
from prunegate.models.kept_units import KeptUnits
from prunegate.models.surgery import Ranking
from prunegate.models.weights import load_into, read_weights, write_weights

if TYPE_CHECKING:
    from prunegate.compress.work import Work

STATE_FILE = "compress.ckpt"
"""The sha256 of what follows, a line of JSON, then the weights as safetensors."""


@contextmanager
def kept_until_done(root: Path | None, identity: Mapping[str, Any]) -> Iterator[Path | None]:
    """Name the folder where the state of a piece of work belongs, for the length of a context.

    The folder goes when the work is done, and when it cannot be done (bad input); it stays when
    the work is killed or interrupted.

    Args:
        root: Where such folders are; None: no state is kept.
        identity: Everything that decides the outcome, as plain JSON values.

    Raises:
        ModelError: the same work is being done there now, or the folder cannot be written.
    """
    if root is None:
        yield None
        return
    canonical = json.dumps(identity, sort_keys=True, allow_nan=False).encode()
    place = root / f"compress-{hashlib.sha256(canonical).hexdigest()[:16]}"
    with _locked(place):
        try:
            yield place
        except PrunegateError:
            _forget(place)
            raise
        except BaseException:
            if not (place / STATE_FILE).exists():
                _forget(place)
            raise
        _forget(place)


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Let one process at a time work there; the system unlocks when it ends, however it ends."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        handle = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ModelError(f"{place}: cannot keep a checkpoint there ({error.strerror}).") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ModelError(
            f"{place}: the same work is being done there; wait for it, or write to another folder."
        ) from error
    finally:
        os.close(handle)


def _forget(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    with suppress(OSError):  # others may keep their state there
        place.parent.rmdir()


def save_checkpoint(work: Work, folder: Path) -> None:
    """Write the state, replacing an earlier one.

    Raises:
        ModelError: the disk refuses.
    """
    weights = write_weights(work.module)
    state: dict[str, Any] = {
        "done": work.done,
        "kept": work.kept.units,
        "zeros": work.zeros,
        "recipe": work.recipe,
        "losses": work.losses,
        "importance": {kind: asdict(ranking) for kind, ranking in work.importance.items()},
        "prunings": work.prunings,
        "wanted": work.wanted,
    }
    content = json.dumps(state, allow_nan=False).encode() + b"\n" + weights
    try:
        replace_file(folder / STATE_FILE, _sealed(content))
    except OSError as error:
        raise ModelError(f"{folder}: cannot keep a checkpoint there ({error.strerror}).") from error


def load_checkpoint(work: Work, folder: Path) -> None:
    """Take up a state, if there is a whole one."""
    try:
        seal, _, content = (folder / STATE_FILE).read_bytes().partition(b"\n")
    except OSError:
        return  # absent: from the start
    if seal != _seal(content):
        return  # damaged: from the start
    head, _, weights = content.partition(b"\n")
    state, tensors = json.loads(head), read_weights(weights, STATE_FILE)
    kept = KeptUnits(units={kind: tuple(map(tuple, rows)) for kind, rows in state["kept"].items()})
    whole = work.baseline.family.skeleton(work.baseline.config, kept)
    load_into(whole, tensors, STATE_FILE)
    work.module, work.kept, work.zeros = whole, kept, state["zeros"]
    work.recipe, work.losses = state["recipe"], [tuple(run) for run in state["losses"]]
    work.importance = {
        kind: Ranking(criterion=one["criterion"], shares=tuple(map(tuple, one["shares"])))
        for kind, one in state["importance"].items()
    }
    work.prunings, work.done = state["prunings"], state["done"]
    work.wanted = None if state["wanted"] is None else tuple(state["wanted"])


def _sealed(content: bytes) -> bytes:
    return _seal(content) + b"\n" + content


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
