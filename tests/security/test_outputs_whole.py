"""Outputs appear whole or not at all: whatever goes wrong, nothing looks like a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunegate.errors import InputError
from prunegate.gate import Decision, gate, publish
from prunegate.io.atomic import write_whole
from prunegate.outputs.staging import staged
from prunegate.policy.load import read_policy

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: 1}
rules: [{metric: recall, max_drop: 0.02}]
"""
MOMENTS = {
    "the record's bytes": "prunegate.gate.canonical_bytes",
    "rendering": "prunegate.gate.begun",
    "a middle file": "prunegate.outputs.write.render_junit",
    "keeping evidence": "prunegate.audit.filing.write_durably",
    "pending the entry": "prunegate.audit.filing.add_pending",
    "moving the folder": "prunegate.outputs.staging.Staging.publish",
    "the disk": "os.fsync",
}
ENDS = [
    OSError(28, "No space left on device"),
    KeyboardInterrupt(),
    InputError("no"),
    MemoryError(),
]


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in folder.rglob("*")}


@pytest.fixture(scope="module")
def decision(tmp_path_factory: pytest.TempPathFactory) -> Decision:
    """Judged once: every test is about what is then written."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "p.yaml").write_text(POLICY)
    rows = "".join(f"{i},{i % 2},{i % 2},{i % 2}\n" for i in range(400))
    (folder / "t.csv").write_text("id,label,baseline,candidate\n" + rows)
    return gate(read_policy(folder / "p.yaml"), folder / "t.csv")


@pytest.fixture
def verdict(decision: Decision, tmp_path: Path) -> Callable[..., Path]:
    """Write what was decided into a folder, and keep it in the audit trail."""

    def write(out: Path | None, *, force: bool = False) -> Path:
        with staged(out, tmp_path / "reports" / "small", force=force) as staging:
            return publish(decision, staging, tmp_path / "audit")

    return write


@pytest.mark.parametrize("error", ENDS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("named", [True, False])
def test_nothing_remains_of_a_verdict_that_could_not_be_kept(
    verdict: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    error: BaseException,
    named: bool,
) -> None:
    before = everything(tmp_path)
    monkeypatch.setattr(MOMENTS[moment], failing(error))
    with pytest.raises((type(error), InputError)):
        verdict(tmp_path / "deep" / "out" if named else None)
    assert everything(tmp_path) == before
    monkeypatch.undo()
    assert (verdict(None) / "record.json").is_file()


@pytest.mark.parametrize("error", ENDS, ids=lambda e: type(e).__name__)
def test_a_full_folder_is_untouched_by_a_failure(
    verdict: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("an earlier report")
    before = everything(tmp_path)
    monkeypatch.setattr("prunegate.gate.begun", failing(error))
    with pytest.raises((type(error), InputError)):
        verdict(out, force=True)
    assert everything(tmp_path) == before


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "report.html"
    write_whole(place, b"old")
    monkeypatch.setattr(Path, "replace", failing(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match=r"cannot be written .No space left on device."):
        write_whole(place, b"new")
    monkeypatch.undo()
    assert place.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_link_in_a_forced_folder_is_replaced_not_followed(
    verdict: Callable[..., Path], tmp_path: Path
) -> None:
    out, precious = tmp_path / "out", tmp_path / "precious"
    out.mkdir()
    precious.write_text("precious")
    (out / "report.html").symlink_to(precious)
    verdict(out, force=True)
    assert precious.read_text() == "precious"
    assert not (out / "report.html").is_symlink()


def test_files_can_be_read_by_the_people_they_are_for(verdict: Callable[..., Path]) -> None:
    out = verdict(None)
    assert out.stat().st_mode & 0o777 == 0o755
    assert {p.stat().st_mode & 0o777 for p in out.iterdir()} == {0o644}
