"""Files that are no description of anything: endless, or waiting for somebody to write to them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prunegate.audit.bundle.layout import read_bundle
from prunegate.counting.labelled_part import read_frame
from prunegate.errors import EvidenceError, InputError, ModelError, PrunegateError
from prunegate.models.config_json import read_object

SMALL: dict[Callable[[Path], object], tuple[type[PrunegateError], str]] = {
    read_frame: (InputError, r"no labelling\.json of 'prunegate label'; give that file"),
    read_object: (ModelError, r"more than the 16,777,216 bytes that are read"),
    read_bundle: (EvidenceError, r"larger than the 1,073,741,824 bytes"),
}
"""Readers of what is small, with what they say of a file that is not."""


@pytest.mark.parametrize("read", SMALL, ids=lambda read: read.__name__)
def test_a_file_that_no_memory_holds_is_refused_unread(
    read: Callable[[Path], object], tmp_path: Path
) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(1 << 38)  # nothing but a length
    error, words = SMALL[read]
    with pytest.raises(error, match=words):
        read(tmp_path / "file")


def test_a_frame_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labelling.json")
    with pytest.raises(InputError, match=r"no labelling\.json"):
        read_frame(tmp_path / "labelling.json")
