"""Print the quickstart's table of a demo from its two records; without arguments, of the sample."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

METRICS = ("recall", "precision")


def findings(record: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(f["metric"], f["slice"]): f for f in record["findings"] if f["check"] == "max_drop"}


def points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def change(finding: dict[str, Any]) -> str:
    mark = {"pass": "", "fail": " **shown to be worse**", "inconclusive": " not proven"}
    return f"{points(finding['difference'])}{mark[finding['status']]}"


def lines(display_only: dict[str, Any], representative: dict[str, Any]) -> list[str]:
    one, other = findings(display_only), findings(representative)
    control = {(c["metric"], c["slice"]): c for c in display_only["control"]["slices"]}
    verdicts = [record["outcome"].upper() for record in (display_only, representative)]
    heads = ("change in points", "baseline", f"display-only: {verdicts[0]}")
    heads += ("its control, nothing removed", f"representative: {verdicts[1]}")
    out = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for metric, where in one:
        key = (metric, where)
        plain = control[key]["control"] - control[key]["baseline"]
        out.append(
            f"| {metric}, {where.removeprefix('content_type=')} | "
            f"{100 * one[key]['baseline']:.1f} % | {change(one[key])} | {points(plain)} | "
            f"{change(other[key])} |"
        )
    return out


SAMPLE = Path(__file__).parents[2] / "reports" / "sample"
NAMES = [SAMPLE / arm / "record.json" for arm in ("display-only", "representative")]

if __name__ == "__main__":
    chosen = [Path(name) for name in sys.argv[1:3]] or NAMES
    first, second = (json.loads(path.read_text(encoding="utf-8")) for path in chosen)
    print("\n".join(lines(first, second)))  # noqa: T201  # a script that prints
