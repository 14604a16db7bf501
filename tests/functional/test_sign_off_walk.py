"""The README's walk through a sign-off runs as it is written, in a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
POLICY = """\
prunegate: 1
name: my-policy
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
"""


@pytest.mark.slow  # starts a warm process, and calls it four times
@pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed (openssh-client)"
)
def test_the_readmes_walk_runs(tmp_path: Path, warm_program: Path) -> None:
    section = README.partition("**6. Have it signed.**")[2]
    (walk,) = re.findall(r"```bash\n(.*?)```", section.partition("\n## ")[0], flags=re.DOTALL)
    (approvals,) = re.findall(r"`(approvals: \{.*?\})` in the policy", section)
    (tmp_path / "my-policy.yaml").write_text(f"{POLICY}{approvals}\n", encoding="utf-8")
    rows = "".join(f"u{i},unsafe,0.9,0.8\ns{i},safe,0.1,0.2\n" for i in range(400))
    table = f"id,label,baseline,candidate\n{rows}"
    (tmp_path / "predictions.csv").write_text(table, encoding="utf-8")
    (tmp_path / "to-ann").mkdir()
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ann"]
    subprocess.run(make, cwd=tmp_path, check=True, timeout=30)
    path = f"{warm_program.parent}{os.pathsep}{os.environ['PATH']}"
    given = {name: value for name, value in os.environ.items() if name != "PRUNEGATE_KEY"}
    done = subprocess.run(
        ["bash", "-e", "-c", walk],
        cwd=tmp_path,
        env={**given, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "APPROVED  by ann@client.example as client" in done.stdout
    assert "MAY SHIP  my-policy" in done.stdout
