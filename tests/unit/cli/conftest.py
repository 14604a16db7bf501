"""Decision records to report on; they lie with the tests of the report."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

_NAME = "prunegate_test_records"


@pytest.fixture(scope="session")
def records() -> ModuleType:
    """The module of fixed records (test folders are no packages, so it is loaded by path)."""
    if _NAME not in sys.modules:
        path = Path(__file__).parents[1] / "report" / "records.py"
        spec = importlib.util.spec_from_file_location(_NAME, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[_NAME] = module
        spec.loader.exec_module(module)
    return sys.modules[_NAME]
