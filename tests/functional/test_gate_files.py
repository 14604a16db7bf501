"""``prunegate gate`` on files of their own (docs/files.md) and by several policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate import cli
from prunegate.audit.read import stored_record
from prunegate.audit.replay import replay
from prunegate.errors import EvidenceError

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: {name}
task: {{kind: binary, positive: unsafe, threshold: 0.5, ignore: [unsure]}}
slices: [{{by: width, quantiles: 2}}]
data: {{columns: {{id: image, baseline: score, candidate: score}}}}
rules: [{{metric: recall, {limit}}}]
"""


def gate(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["prunegate", "gate", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def write(folder: Path) -> None:
    labels = ["image,label,score,width"]
    answers = ["image,score"]
    for i in range(600):
        label, score = ("unsafe", 0.9) if i % 2 == 0 else ("safe", 0.1)
        labels.append(f"i{i},{'unsure' if i % 50 == 0 else label},{score},{i}")
        answers.append(f"i{i},{0.2 if i == 2 else score}")
    (folder / "truth.csv").write_text("\n".join(labels) + "\n")
    (folder / "new.csv").write_text("\n".join([answers[0], *reversed(answers[1:])]) + "\n")
    for name, limit in (("fine", "max_drop: 0.1"), ("strict", "at_least: 0.999")):
        (folder / f"{name}.yaml").write_text(POLICY.format(name=name, limit=limit))
    (folder / "broken.yaml").write_text("prunegate: 1\n")


def test_each_policy_has_its_folder_and_every_file_is_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    files = ("--labels", "truth.csv", "--candidate-predictions", "new.csv", "--out", "o")
    assert gate(monkeypatch, "fine.yaml", "broken.yaml", "strict.yaml", *files) == 2
    told = capsys.readouterr()
    assert [line.split() for line in told.out.splitlines()[-3:]] == [
        ["approve", "fine.yaml"],
        ["not", "judged", "broken.yaml"],
        ["inconclusive", "strict.yaml"],
    ]
    assert "broken.yaml" in told.err
    assert {path.name for path in Path("o").iterdir()} == {"fine", "strict"}
    stored = stored_record(Path("o/fine/record.json"))
    assert [(i.role, i.name, i.rows) for i in stored.record.inputs] == [
        ("labels", "truth.csv", 588),
        ("candidate_predictions", "new.csv", 588),
    ]
    assert stored.record.ignored == {"unsure": 12}
    assert stored.record.edges == {"width": (299.0,)}
    assert "left out: 12 of 'unsure'." in "".join(stored.record.known_limits)
    assert replay(stored, ["new.csv", "truth.csv"]).rows == 588
    with pytest.raises(EvidenceError, match=r"truth\.csv .* was judged too"):
        replay(stored, ["new.csv"])
    Path("new.csv").write_text(Path("new.csv").read_text().replace("i7,0.1", "i7,0.9"))
    with pytest.raises(EvidenceError, match="another file"):
        replay(stored, ["new.csv", "truth.csv"])


def test_two_policies_of_one_name_have_no_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    (tmp_path / "again.yaml").write_text((tmp_path / "fine.yaml").read_text())
    assert gate(monkeypatch, "fine.yaml", "again.yaml", "--predictions", "truth.csv") == 2
    assert "a policy of the name fine is given already" in capsys.readouterr().err
    assert gate(monkeypatch, "fine.yaml") == 2
    assert "give --predictions FILE, or --labels FILE" in capsys.readouterr().err
    assert not Path("reports").exists()
