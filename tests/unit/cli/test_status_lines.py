"""What ``status`` says: nobody is asked to sign what no signature changes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from prunegate.audit.approvals.sign_off import Refusal, SignOffState, Why
from prunegate.cli.status import _lines


@pytest.mark.parametrize(
    ("other", "asked"),
    [((), True), (("revalidate",), True), (("outcome",), False), (("outcome", "rejected"), False)],
)
def test_only_what_a_signature_can_change_is_asked_for(
    other: tuple[Why, ...], *, asked: bool
) -> None:
    record = SimpleNamespace(policy=SimpleNamespace(name="brand"), waivers=())
    case: Any = SimpleNamespace(stored=SimpleNamespace(digest="0" * 64, record=record))
    reasons = (*other, "missing")
    standing = SignOffState(
        reasons=tuple(Refusal(why=why, role="client") for why in reasons),
        counted=(),
        passed_over=(),
    )
    told = list(_lines(case, standing, None, quiet=False, color=False))
    assert len(told) == 1 + len(other) + asked
    assert any("missing: no approval as client" in line for line in told) == asked
