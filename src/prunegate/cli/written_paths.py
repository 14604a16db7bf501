"""Written paths: no command writes over what it reads, nor two of its files into one place.

An option that names what is written has the type ``WRITTEN``. All paths of a command are compared
before it begins, however they are spelled: by links, by ``..``, by a pattern that matches. Keys,
an audit folder's files and those of another verdict are replaced by nobody, ``--force`` or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from glob import glob, has_magic
from itertools import combinations
from pathlib import Path
from typing import Any

import click

from prunegate.cli.swapped import hint
from prunegate.errors import InputError
from prunegate.text.escape import escaped


class WrittenPath(click.Path):
    """The type of an option or argument that names what a command writes.

    Args:
        whole: whether a folder of that name is replaced as a whole.
    """

    def __init__(self, *args: Any, whole: bool = False, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.whole = whole


class TablesRead(click.types.StringParamType):
    """The type of an option that names tables to read: a path, a pattern or an address."""


WRITTEN = WrittenPath(path_type=Path)
READ_TABLES = TablesRead()


class PathsApart(click.Command):
    """A command that is refused before it begins where its paths are not apart.

    A table that was given without its option gets the word that helps.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; a refusal says how a table is given."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            takes = any("--predictions" in param.opts for param in self.params)
            meant = hint(given, self.name or "") if takes else ""
            if not meant:
                raise
            told = error.format_message().rstrip(".")
            raise click.UsageError(f"{told}. {meant}", ctx=error.ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        """As click does, after the paths were compared."""
        written, read = paths_of(ctx)
        require_apart(written, read)
        _require_inputs_outside(ctx, written, read)
        for option, path in written.items():
            _require_no_evidence(option, path, read)
        return super().invoke(ctx)


def paths_of(ctx: click.Context) -> tuple[dict[str, Path], dict[str, list[Path]]]:
    """What a command writes, and what it reads, by the names of its options."""
    written: dict[str, Path] = {}
    read: dict[str, list[Path]] = {}
    for param in ctx.command.params:
        value = ctx.params.get(param.name or "")
        if value is None or not isinstance(param.type, (click.Path, TablesRead)):
            continue
        told = param.opts[-1] if isinstance(param, click.Option) else str(param.human_readable_name)
        if isinstance(param.type, WrittenPath):
            written[told] = Path(value)
        else:
            given = value if isinstance(value, tuple) else (value,)
            read[told] = [path for one in given for path in _matched(one)]
    return written, read


def _matched(given: str | Path) -> Iterator[Path]:
    """A path, the record in the folder of a verdict, and whatever a pattern matches."""
    yield Path(given)
    yield Path(given) / "record.json"
    if has_magic(str(given)):
        yield from map(Path, glob(str(given), recursive=True))  # noqa: PTH207  # absolute, too


def require_apart(written: Mapping[str, Path], read: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a path that would be written over what is read, or written twice.

    Args:
        written: paths by the names of their options.
        read: likewise.

    Raises:
        InputError: it names both options.
    """
    for (one, path), (other, second) in combinations(written.items(), 2):
        if _same(path, second):
            raise InputError(
                f"{one} and {other} name the same file, {_told(path)}; give each its own"
            )
    for one, path in written.items():
        for other, paths in read.items():
            if any(_same(path, input_) for input_ in paths):
                raise InputError(
                    f"{one} would write over {other}, {_told(path)}, which is read; name another "
                    "path"
                )


def _require_inputs_outside(
    ctx: click.Context, written: Mapping[str, Path], read: Mapping[str, Sequence[Path]]
) -> None:
    """Refuse inputs inside of a folder that is replaced as a whole."""
    replaced = {p.opts[-1] for p in ctx.command.params if getattr(p.type, "whole", False)}
    for one in replaced & set(written):
        folder = written[one].resolve()
        for other, paths in read.items():
            if any(path.resolve().is_relative_to(folder) for path in paths):
                raise InputError(
                    f"{other} lies inside of {_told(written[one])}, which {one} replaces; name "
                    "another path"
                )


_KEYS = (b"-----BEGIN", b"ssh-", b"ecdsa-", b"sk-")
"""What a key or a signature begins with."""


def _require_no_evidence(option: str, path: Path, read: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a file that says who decided what, or that proves it.

    Raises:
        InputError: it names the option, and what the file is.
    """
    try:
        found = _evidence(path, [one for paths in read.values() for one in paths])
    except OSError:  # whoever writes there says what is wrong
        return
    if found:
        raise InputError(
            f"{option} names {found}, {_told(path)}, which is never written over; name another path"
        )


def _evidence(path: Path, read: Sequence[Path]) -> str:
    """What of that kind a file is; empty: none."""
    from prunegate.outputs.nothing_judged import OF_A_VERDICT, RECORD

    if not path.is_file():
        return ""
    with path.open("rb") as file:
        if file.read(16).startswith(_KEYS):
            return "a key or signature"
    place = path.resolve()
    if place.suffix != ".html" and any(map(_is_audit_folder, place.parents)):
        return "a file of an audit folder"
    record = place.parent / RECORD
    if place.name not in OF_A_VERDICT or not record.is_file():
        return ""
    own = place.name == "report.html" and any(_holds(one, record) for one in read)
    return "" if own else "a file of a verdict"


def _is_audit_folder(folder: Path) -> bool:
    both = (folder / "evidence", folder / "pending")
    trust = (folder / "trust.policy", folder / "allowed_signers")
    return all(one.is_dir() for one in both) or any(one.is_file() for one in trust)


def _holds(read: Path, record: Path) -> bool:
    """Whether a path that is read is that record, or holds the same."""
    return read.is_file() and (_same(read, record) or read.read_bytes() == record.read_bytes())


def _same(one: Path, other: Path) -> bool:
    """Whether two paths are one place, whatever stands there."""
    try:
        return one.resolve() == other.resolve() or (
            one.exists() and other.exists() and one.samefile(other)
        )
    except (OSError, RuntimeError, ValueError):  # whoever opens it says what is wrong
        return False


def _told(path: Path) -> str:
    return escaped(str(path))
