"""The walk through a sign-off (docs/guides/sign-off.md) runs as it is written, in a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guides/sign-off.md").read_text(encoding="utf-8")
POLICY = """\
prunegate: 1
name: my-policy
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
"""


@pytest.mark.slow  # starts the program four times
@pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed (openssh-client)"
)
def test_the_walk_runs(tmp_path: Path) -> None:
    walk = PAGE.partition("```bash\n")[2].partition("```")[0]
    (approvals,) = re.findall(r"`(approvals: \{.*?\})` in the policy", PAGE)
    (tmp_path / "my-policy.yaml").write_text(f"{POLICY}{approvals}\n", encoding="utf-8")
    rows = "".join(f"u{i},unsafe,0.9,0.8\ns{i},safe,0.1,0.2\n" for i in range(400))
    table = f"id,label,baseline,candidate\n{rows}"
    (tmp_path / "predictions.csv").write_text(table, encoding="utf-8")
    (tmp_path / "to-ann").mkdir()
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ann"]
    subprocess.run(make, cwd=tmp_path, check=True, timeout=30)
    program = tmp_path / "bin" / "prunegate"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from prunegate.cli import main; main()' \"$@\"\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    given = {name: value for name, value in os.environ.items() if name != "PRUNEGATE_KEY"}
    done = subprocess.run(
        ["bash", "-e", "-c", walk],
        cwd=tmp_path,
        env={**given, "PATH": path, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "APPROVED  by ann@client.example as client" in done.stdout
    assert "MAY SHIP  my-policy" in done.stdout
