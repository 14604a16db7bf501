"""A record whose groups are not those of the rows that it names is refused by counting again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.unit.audit.people.conftest import agrees

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import kept_form
from prunegate.audit.replay import replay
from prunegate.errors import EvidenceError
from prunegate.gate import gate
from prunegate.policy.load import read_policy

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: 1, threshold: 0.5}
group: post
rules: [{metric: recall, max_drop: 0.05}]
"""


def test_groups_of_other_rows_are_told(tmp_path: Path) -> None:
    label = [i % 2 for i in range(40)]
    data = {"id": range(40), "label": label, "baseline": label, "candidate": label}
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    paths = [tmp_path / "pairs.csv", tmp_path / "fours.csv"]
    for path, size in zip(paths, (2, 4), strict=True):
        pd.DataFrame(data).assign(post=[i // size for i in range(40)]).to_csv(path, index=False)
    made = gate(read_policy(tmp_path / "p.yaml"), paths[0], ask=agrees).record
    sha256 = hashlib.sha256(paths[1].read_bytes()).hexdigest()
    claimed = replace(made, inputs=(replace(made.inputs[0], sha256=sha256),))
    stored = kept_form(canonical_bytes(claimed))
    with pytest.raises(EvidenceError, match=r"tallies\.groups .*the sums of these rows"):
        replay(stored, [paths[1]])
