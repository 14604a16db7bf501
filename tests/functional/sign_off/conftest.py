"""An approval by the gate, and a folder of its own for each test of what is said of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.functional.sign_off.clients import (
    GATE,
    LOG_KEY,
    POLICY,
    START,
    Say,
    enrol,
    keygen,
    page_as_it_is,
    pending_of,
    seal_all,
)

from prunegate import cli
from prunegate.audit.log.seal import begin_log
from prunegate.audit.signing.keys import write_key_pair


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An approval by the gate, its request beside it, and a second record of other rows."""
    home = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("SOURCE_DATE_EPOCH", str(START))
        (home / "p.yaml").write_text(POLICY, encoding="utf-8")
        for name, rows in (("o", 400), ("other", 410)):
            lines = ["id,label,baseline,candidate"]
            lines += [f"u{i},unsafe,0.9,0.8\ns{i},safe,0.1,0.2" for i in range(rows)]
            (home / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
            patch.setattr("sys.argv", ["prunegate", *GATE, "--out", name])
            with pytest.raises(SystemExit) as stopped:
                cli.main()
            assert stopped.value.code == 0
    return home


@pytest.fixture
def folder(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    shutil.copytree(judged, home)
    shutil.rmtree(home / "audit")
    monkeypatch.chdir(home)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(START))
    monkeypatch.delenv("PRUNEGATE_KEY", raising=False)
    monkeypatch.setattr("prunegate.cli.approve.page_digest", page_as_it_is)  # 0.4 s each, else
    for name in ("ann", "eve"):
        keygen("-t", "ed25519", "-N", "", "-C", name, "-f", name)
    return home


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command; its exit code and all that it printed."""

    def run(*arguments: str, at: int | None = None) -> tuple[int, str]:
        if at is not None:
            monkeypatch.setenv("SOURCE_DATE_EPOCH", str(at))
        monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, printed.out + printed.err

    return run


@pytest.fixture
def approved(folder: Path, say: Say) -> Path:
    """A log, an enrolment in it, and one approval that is pending."""
    write_key_pair(LOG_KEY, folder / "log.key")
    begin_log(folder / "audit", "agency.example/audit", LOG_KEY)
    enrol()
    seal_all(folder / "audit", LOG_KEY)
    assert say("approve", "o", "--role", "client", "--decision", "approve", "--key", "ann")[0] == 0
    return pending_of("approval")
