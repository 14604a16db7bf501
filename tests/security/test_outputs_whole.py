"""Outputs appear whole or not at all: whatever goes wrong, nothing looks like a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunegate.errors import InputError
from prunegate.gate import gate, publish
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
    "rendering": "prunegate.outputs.write.render",
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


def verdict(folder: Path, out: Path | None, *, force: bool = False) -> Path:
    source = read_policy(folder / "p.yaml")
    with staged(out, folder / "reports" / "small", force=force) as staging:
        decision = gate(source, folder / "t.csv")
        return publish(decision, staging, folder / "audit")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(POLICY)
    rows = "".join(f"{i},{i % 2},{i % 2},{i % 2}\n" for i in range(400))
    (tmp_path / "t.csv").write_text("id,label,baseline,candidate\n" + rows)
    return tmp_path


@pytest.mark.parametrize("error", ENDS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("named", [True, False])
def test_nothing_remains_of_a_verdict_that_could_not_be_kept(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    error: BaseException,
    named: bool,
) -> None:
    before = everything(folder)
    monkeypatch.setattr(MOMENTS[moment], failing(error))
    with pytest.raises((type(error), InputError)):
        verdict(folder, folder / "deep" / "out" if named else None)
    assert everything(folder) == before
    monkeypatch.undo()
    assert (verdict(folder, None) / "record.json").is_file()


@pytest.mark.parametrize("error", ENDS, ids=lambda e: type(e).__name__)
def test_a_full_folder_is_untouched_by_a_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    out = folder / "out"
    out.mkdir()
    (out / "report.html").write_text("an earlier report")
    before = everything(folder)
    monkeypatch.setattr("prunegate.outputs.write.render", failing(error))
    with pytest.raises((type(error), InputError)):
        verdict(folder, out, force=True)
    assert everything(folder) == before


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


def test_a_link_in_a_forced_folder_is_replaced_not_followed(folder: Path) -> None:
    out, precious = folder / "out", folder / "precious"
    out.mkdir()
    precious.write_text("precious")
    (out / "report.html").symlink_to(precious)
    verdict(folder, out, force=True)
    assert precious.read_text() == "precious"
    assert not (out / "report.html").is_symlink()


def test_files_can_be_read_by_the_people_they_are_for(folder: Path) -> None:
    out = verdict(folder, None)
    assert out.stat().st_mode & 0o777 == 0o755
    assert {p.stat().st_mode & 0o777 for p in out.iterdir()} == {0o644}
