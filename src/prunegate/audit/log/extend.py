"""Extend the tiles on disk: new files beside the old, so that the old tree stays whole till commit.

A partial file carries its width in its name: growing never touches what the current checkpoint
covers. What a seal that died left behind lies past the checkpoint and is taken away by the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prunegate.audit.log.durable_files import make_folder, sync_folder, write_durably
from prunegate.audit.log.folder import EVIDENCE, leftovers
from prunegate.audit.log.frontier import Frontier
from prunegate.audit.log.merkle import HASH_SIZE, leaf_hash
from prunegate.audit.log.pending import FOLDER
from prunegate.audit.log.tiles import ENTRIES, WIDTH, frame, layout, read_entry_bundle, tile_path
from prunegate.io.partial import PARTIAL, sweep


def stored_frontier(audit: Path, size: int) -> Frontier:
    """The frontier of the log on disk, which writes each tile that becomes full.

    Raises:
        EvidenceError: a partial tile is missing or cut off.
    """

    def write(level: int, index: int, hashes: bytes) -> None:
        _write(audit / tile_path(level, index), hashes)

    return Frontier.stored(audit, size, write)


def extend(audit: Path, frontier: Frontier, entries: Iterable[bytes]) -> None:
    """Write bundles and tiles of further entries, lasting; nothing that is there changes.

    Raises:
        OSError: no space left, or the folder cannot be written.
    """
    size = frontier.size
    old = set(layout(size))
    bundle = bytearray(read_entry_bundle(audit, *divmod(size, WIDTH)) if size % WIDTH else b"")
    for entry in entries:
        frontier.append(leaf_hash(entry))
        bundle += frame(entry)
        if frontier.size % WIDTH == 0:
            _write(audit / tile_path(ENTRIES, frontier.size // WIDTH - 1), bytes(bundle))
            bundle.clear()
    if bundle:
        _write(audit / tile_path(ENTRIES, *divmod(frontier.size, WIDTH)), bytes(bundle))
    for level, index, hashes in frontier.partials():
        path = tile_path(level, index, len(hashes) // HASH_SIZE)
        if path not in old:
            _write(audit / path, hashes)
    for folder in {(audit / path).parent for path in layout(frontier.size) if path not in old}:
        sync_folder(folder)


def tidy_away(audit: Path, size: int) -> None:
    """Remove what a seal that died left behind: temporary files and tiles past the checkpoint."""
    tile = audit / "tile"
    folders = [audit, audit / FOLDER, audit / EVIDENCE, tile, *tile.rglob("*")]
    for folder in folders:
        if folder.is_dir():
            sweep(folder, f"{PARTIAL}*")
    remove(audit, leftovers(audit, size))


def remove(audit: Path, paths: Iterable[str]) -> None:
    """Remove files below ``tile/``, and the folders that they leave empty."""
    for path in paths:
        (audit / path).unlink(missing_ok=True)
        folder = (audit / path).parent
        while folder != audit / "tile" and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def _write(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    write_durably(path, content)
