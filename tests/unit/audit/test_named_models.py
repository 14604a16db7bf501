"""Which models a table is bound to: what made it here, else what it says, else the folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.audit import model_digests
from prunegate.audit.model_digests import named_models
from prunegate.audit.prediction_metadata import Notes
from prunegate.models.digest import tree_digest
from prunegate.policy.load import PolicyFile, read_policy

ROLES = ("baseline", "candidate")
A, B, NONE = "ab" * 32, "cd" * 32, ""
SAID = [(), (A,), (A, A), (A, B), (A, NONE), (NONE, A), ("x",), (A.upper(),), (NONE, NONE)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> PolicyFile:
    """A policy with the baseline's folder, and a candidate's that is not there."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "baseline").mkdir()
    (folder / "baseline/weights").write_bytes(b"12345")
    (folder / "p.yaml").write_text(
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: u, threshold: 0.5}\n"
        "rules: [{metric: recall, at_least: 0.5}]\n"
        "model: {baseline: baseline, candidate: candidate}\n"
    )
    return read_policy(folder / "p.yaml")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("made", [{}, {"baseline": 1}, {"candidate": 1}, {"baseline": None}])
def test_each_role_is_named_by_who_knows_it_best(
    role: str, said: tuple[str, ...], made: dict[str, object], source: PolicyFile
) -> None:
    notes = [Notes(digests={role: one} if one else {}) for one in said]
    found, limits = named_models(source, notes, made)
    named = {one.role: (one.digest, one.source) for one in found}
    folder = (tree_digest(source.folder / "baseline"), "folder")
    for one in ROLES:
        known = {text for text in said if text in (A, B)} if one == role else set()
        told = [limit for limit in limits if one in limit]
        if made.get(one):
            expected, words = None, 0
        elif len(known) == 1 and NONE not in said:
            expected, words = (A, "predictions"), 0
        elif known:
            expected, words = None, 1
        else:
            expected, words = folder if one == "baseline" else None, 0
        assert (named.get(one), len(told)) == (expected, words), one


def test_a_folder_is_hashed_to_the_last_byte_that_is_allowed(
    source: PolicyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = source.folder / "baseline"
    monkeypatch.setattr(model_digests, "MOST_BYTES", 5)
    ((one,), limits) = named_models(source, (), {})
    assert (one.digest, limits) == (tree_digest(folder), ())
    monkeypatch.setattr(model_digests, "MOST_BYTES", 4)
    found, (limit,) = named_models(source, (), {})
    assert found == ()
    assert "it has 5 bytes, more than the 4 that are hashed here" in limit
