"""A snapshot: a model folder as it was when it was hashed.

Every file is hashed once, and the bytes that are loaded must have that hash, so the digest in a
record is the digest of the model that was judged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.config_json import parse_object
from prunegate.models.digest import FileDigest, refuse_paper, tree_files
from prunegate.models.pickle_files import pickle_files
from prunegate.models.pickled import read_pickle
from prunegate.models.refusals import CONFIG_FILE, refuse_pickles
from prunegate.models.shards import INDEX_FILE, shards_named
from prunegate.models.surgery import SURGERY_FILE, WEIGHTS_FILE
from prunegate.models.weights import read_weights

_MOST_PICKLED = 16_000_000_000
"""Bytes of all pickles: two billion numbers of eight bytes."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A folder as it was when hashed; reads that do not match are refused."""

    folder: Path
    files: tuple[FileDigest, ...]
    pickles: bool = False
    """Whether weights may be read from one, where nothing else holds them."""

    @classmethod
    def of(cls, folder: Path, *, pickles: bool = False) -> Snapshot:
        """Hash a folder; of an ONNX file, what belongs to it."""
        return cls(folder=folder, files=tree_files(folder), pickles=pickles)

    def read(self, name: str) -> bytes:
        """The bytes of a file that have the hash it had.

        Raises:
            ModelError: it is missing, cannot be read, changed, or is called like a paper.
        """
        expected = self._file(name).sha256
        try:
            raw = (self.folder / name).read_bytes()
        except OSError as error:
            raise ModelError(f"{self.folder / name}: cannot be read ({error.strerror}).") from error
        if hashlib.sha256(raw).hexdigest() != expected:
            raise ModelError(f"{self.folder / name}: changed while it was being loaded; try again.")
        return raw

    def description(self, name: str) -> dict[str, Any]:
        """The JSON object of a file.

        Raises:
            ModelError: as ``read``, or it is no such object.
        """
        return parse_object(self.read(name), str(self.folder / name))

    def sha256(self, name: str) -> str:
        """The hash of a file."""
        return self._file(name).sha256

    def size(self, name: str) -> int:
        """The bytes of a file."""
        return self._file(name).size

    def weight_files(self) -> tuple[str, ...]:
        """The files that hold the weights: one, or the shards that an index names.

        They are safetensors, or else pickles where these are allowed.

        Raises:
            ModelError: only pickles, or an index that does not fit the files.
        """
        if pickled := self.pickled():
            return pickled
        if self.holds(WEIGHTS_FILE):
            return (WEIGHTS_FILE,)
        if not self.holds(INDEX_FILE):
            refuse_pickles(self.folder, [file.path for file in self.files])
            return (WEIGHTS_FILE,)
        told = self.description(INDEX_FILE)
        return shards_named(self.folder / INDEX_FILE, told, {file.path for file in self.files})

    def pickled(self) -> tuple[str, ...]:
        """The pickles that hold the weights; none where they are safetensors.

        Raises:
            ModelError: several that may be meant, or an index that does not fit the files.
        """
        if not self.pickles:
            return ()
        return pickle_files(
            [file.path for file in self.files if "/" not in file.path],
            self.folder,
            self.description,
        )

    def state(self, *, half: bool = False) -> dict[str, Tensor]:
        """Every stored tensor, of all shards; ``half`` as of ``read_weights``.

        Raises:
            ModelError, UnsupportedError: as ``weight_files`` and ``read_weights``; a tensor that
                two shards hold.
        """
        state: dict[str, Tensor] = {}
        pickled = self.pickled()
        if sum(map(self.size, pickled)) > _MOST_PICKLED:
            raise UnsupportedError(
                f"{self.folder}: pickles of more than {_MOST_PICKLED:,} bytes are not read; save "
                "the model as safetensors."
            )
        read = read_pickle if pickled else read_weights
        for name in self.weight_files():
            part = read(self.read(name), str(self.folder / name), half=half)
            if doubled := state.keys() & part.keys():
                raise ModelError(f"{self.folder}: {min(doubled)} is in two shards; save it again.")
            state |= part
        return state

    def holds(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return any(file.path == name for file in self.files)

    def refuse_config(self) -> None:
        """A candidate has none: see ``save``.

        Raises:
            ModelError: it has one.
        """
        if any(file.path == CONFIG_FILE for file in self.files):
            raise ModelError(
                f"{self.folder}: {CONFIG_FILE} stands beside {SURGERY_FILE}; with it "
                "from_pretrained would build the unpruned model and leave what was removed random. "
                "Take it away; prunegate.load_candidate needs none."
            )

    def _file(self, name: str) -> FileDigest:
        refuse_paper(self.folder, name)
        for file in self.files:
            if file.path == name:
                return file
        raise ModelError(f"{self.folder}: {name} is missing; save the whole model there.")
