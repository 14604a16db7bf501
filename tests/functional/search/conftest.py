"""A world in which pruning costs right decisions, and a folder that can be searched in it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from tests.functional.search.searches import policy, worn


@pytest.fixture(scope="module", autouse=True)
def world(quick: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("prunegate.pipeline.context"), "score", worn)
        yield


@pytest.fixture
def searchable(home: Path) -> Path:
    (home / "policy.yaml").write_text(policy())
    return home
