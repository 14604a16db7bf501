"""docs/cost.md: its example is a policy, and its tables name every key there is."""

from __future__ import annotations

import re
from pathlib import Path

from prunegate.cost.bills import HOURS
from prunegate.policy.billing import Billing, Instance, Reserved
from prunegate.policy.cost import Cost, Volumes, VolumeTable
from prunegate.policy.load import parse_policy

PAGE = (Path(__file__).parents[2] / "docs/cost.md").read_text(encoding="utf-8")
HEAD = """\
prunegate: 1
name: x
task: {kind: binary, positive: unsafe}
rules: [{metric: break_even_month, at_most: 6}]
"""


def test_the_example_is_a_cost_section() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert parse_policy(HEAD + example).cost is not None


def test_every_key_is_on_the_page() -> None:
    for section in (Cost, Billing, Instance, Reserved, Volumes, VolumeTable):
        for key in section.model_fields:
            assert key in PAGE, key
    assert f"{HOURS} hours" in PAGE
