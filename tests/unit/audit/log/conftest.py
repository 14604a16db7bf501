"""Makes ``import prunegate_test_logs`` work: test folders are no packages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _load_logs() -> None:
    name, path = "prunegate_test_logs", Path(__file__).with_name("logs.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_load_logs()
