"""Decision records to report on; see ``records.py`` beside this file."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def records() -> ModuleType:
    """The module of fixed records."""
    return _by_path("records")


@pytest.fixture(scope="session")
def many_records() -> ModuleType:
    """The module of records of any number of slices."""
    return _by_path("many_records")


@pytest.fixture(scope="session")
def kinds_records() -> ModuleType:
    """The module of records of other kinds of task."""
    return _by_path("kinds_records")


def _by_path(file: str) -> ModuleType:
    """A module of records; test folders are no packages, so by its path."""
    name = f"prunegate_test_{file}"
    if name not in sys.modules:
        path = Path(__file__).with_name(f"{file}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
