"""Large groups named: which of them keep a slice from ever being decided, as a warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from prunegate.counting.largest_groups import LargestGroups
from prunegate.policy.schema import Policy
from prunegate.text.escape import escaped, named
from prunegate.text.said import said
from prunegate.verdict.finding import Verdict


def outweighed_slices(verdict: Verdict) -> tuple[str, ...]:
    """Slices of which a few large groups hold so many rows that no outcome would show a limit."""
    found = (one.slice for one in verdict.findings if one.open_because == "uneven groups")
    return tuple(dict.fromkeys(found))


def with_groups_named(
    policy: Policy, verdict: Verdict, largest: Mapping[str, LargestGroups]
) -> Verdict:
    """The verdict that warns of these groups, by name where the policy lets rows be shown."""
    shown = policy.report.most > 0 and not policy.redacted & {"id", str(policy.group)}
    rows = {one.name: one.rows for one in verdict.slices}
    told = [
        _sentence(name, largest[name], rows[name], shown=shown)
        for name in outweighed_slices(verdict)
        if name in largest
    ]
    return replace(verdict, warnings=(*verdict.warnings, *told))


def _sentence(name: str, groups: LargestGroups, rows: int, *, shown: bool) -> str:
    several = len(groups.names) > 1
    names = {"name": named(groups.names[0]), "names": ", ".join(map(named, groups.names))}
    kind = f"warning.group{'s' if several else ''}"
    which = said(f"{kind}_largest", n=len(groups.names))
    if shown:
        which = said(f"{kind}_named", n=len(groups.names), **names)
    counted = {"rows": groups.rows, "whole": rows, "part": groups.rows / rows}
    return said(kind, place=escaped(name), which=which, **counted)
