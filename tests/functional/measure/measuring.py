"""What the tests of ``measure`` agree on: a machine's noise, and a way to call commands."""

from __future__ import annotations

import sys

import pytest

from prunegate.cli import main
from prunegate.cost.measurement import Estimate95

MEMORY = 12_345_678
QUIET = Estimate95(value=1.0, low=0.99, high=1.01)
NOISY = Estimate95(value=1.0, low=0.8, high=1.01)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["prunegate", *map(str, arguments)])
    with pytest.raises(SystemExit) as exited:
        main()
    return int(exited.value.code or 0)
