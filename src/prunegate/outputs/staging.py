"""Staging: an output folder that appears whole or not at all.

Everything is written into a hidden sibling first and moved into place by one rename, so that an
error, a full disk or Ctrl-C leaves nothing that looks like a result. What a killed command left is
swept by the next one that writes there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from prunegate.errors import InputError
from prunegate.io.atomic import move_over
from prunegate.io.partial import partial_folder

CHECKPOINTS = ".checkpoints"


@dataclass(frozen=True, kw_only=True)
class Staging:
    """A folder in the making."""

    folder: Path
    """Where to write."""
    out: Path | None
    """Where it will stand; None: a new folder under ``parent``, named at the end."""
    parent: Path
    force: bool = False

    @property
    def above(self) -> Path:
        """The folder in which the output folder will stand."""
        return self.parent if self.out is None else self.out.parent

    @property
    def checkpoints(self) -> Path:
        """Where long work keeps its state until it is done: beside the output folder."""
        return self.above / CHECKPOINTS

    def publish(self, name: str) -> Path:
        """Move the folder into place; ``name`` is used where no place was asked for.

        ``name`` is the digest of what was written, so a folder of that name holds the same verdict.

        Raises:
            InputError: the place was taken in the meantime.
        """
        target = self.out or self.parent / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o755)
            if (self.force or self.out is None) and target.is_dir() and any(target.iterdir()):
                move_over(self.folder, target)
            else:
                self.folder.rename(target)
        except OSError as error:
            raise InputError(f"{target}: cannot be written ({error.strerror})") from error
        return target


@contextmanager
def staged(out: Path | None, parent: Path, *, force: bool) -> Iterator[Staging]:
    """Prepare an output folder; on any exception nothing remains.

    Args:
        out: the folder itself, new or empty; None: ``parent/<name given at the end>``.
        parent: where unnamed output folders are made.
        force: write into a folder that holds something already.

    Raises:
        InputError: the folder is taken, or cannot be written.
    """
    if out is not None:
        _require_free(out, force)
    above = out.parent if out is not None else parent
    made = [p for p in (above, *above.parents) if not p.exists()]
    with ExitStack() as stack:
        stack.callback(_remove_empty, made)
        try:
            above.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(partial_folder(above))
        except OSError as error:
            raise InputError(f"{above}: cannot be written ({error.strerror})") from error
        yield Staging(folder=folder, out=out, parent=parent, force=force)


def _remove_empty(made: Sequence[Path]) -> None:
    """Of folders that were made, innermost first, take away what is still empty."""
    for path in made:
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _require_free(out: Path, force: bool) -> None:
    try:
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} is a file; --out names a folder")
        taken = out.is_dir() and any(out.iterdir())
    except OSError as error:
        raise InputError(f"{out}: cannot be read ({error.strerror})") from error
    if taken and not force:
        raise InputError(
            f"{out} is not empty; choose another --out, or add --force to write into it"
        )
