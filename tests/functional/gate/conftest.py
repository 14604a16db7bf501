"""A folder with a policy and a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.functional.gate.tables import POLICY, table


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "t.csv").write_text(table(0), encoding="utf-8")
    return tmp_path
