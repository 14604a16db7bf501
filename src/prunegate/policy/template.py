"""A new policy from a few answers: a commented file that is valid as it stands.

The limits are starting points that its owner has to set; the minimum evidence is written out,
because it decides how small a slice may be and still be judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from prunegate.policy.load import parse_policy
from prunegate.policy.yaml.scalars import resolve

Answer = str | int | float | bool
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_YAML_1_1_WORDS = frozenset({"yes", "no", "on", "off", "y", "n"})


def render_new(
    name: str,
    *,
    positive: Answer,
    threshold: float | None = 0.5,
    by: str | None = None,
    expect: Sequence[Answer] = (),
) -> str:
    """The text of a policy for a binary classifier.

    Args:
        name: name of the policy: letters, digits, ``.``, ``_``, ``-``.
        positive: the label that counts as positive.
        threshold: score from which an item is positive, in [0, 1]; None where tables hold labels.
        by: column whose values are judged one by one; None judges overall only.
        expect: values of that column that have to be there.

    Raises:
        PolicyError: an answer cannot be part of a policy; every such answer is listed.
    """
    lines = [*_head(name), *_task(positive, threshold), *_slices(by, expect), *_rest(by)]
    text = "\n".join(lines) + "\n"
    parse_policy(text, source="the new policy")
    return text


def _head(name: str) -> list[str]:
    return [
        "# What must hold before a compressed model may replace its baseline.",
        "# Check this file with 'prunegate policy validate'; read it in plain words with",
        "# 'prunegate policy explain'. The limits below are starting points: set your own.",
        "prunegate: 1",
        f"name: {quote(name)}",
        "# purpose: one sentence for the report",
        "# owner: who answers for these limits",
    ]


def _task(positive: Answer, threshold: float | None) -> list[str]:
    lines = [
        "",
        "task:",
        "  kind: binary",
        f"  positive: {quote(positive)}  # the label that counts as positive",
    ]
    if threshold is not None:
        lines.append(f"  threshold: {threshold!r}  # score >= threshold is positive")
    return lines


def _slices(by: str | None, expect: Sequence[Answer]) -> list[str]:
    if by is None:
        return ["", "# slices:", "#   - by: content_type  # judges each of its values, too"]
    lines = ["", "slices:", f"  - by: {quote(by)}  # each value is judged on its own"]
    if expect:
        values = ", ".join(quote(value) for value in expect)
        lines += [
            "    # These have to be there: one that is absent is never a pass.",
            f"    expect: [{values}]",
        ]
    return lines


def _rest(by: str | None) -> list[str]:
    slices = "overall" if by is None else "all"
    return [
        "",
        "evidence:",
        "  confidence: 0.95  # one-sided, for every test",
        "  minimum: {rows: 300, positives: 100}  # per slice; below it nothing is approved",
        "",
        "rules:",
        "  - metric: recall",
        f"    slices: {slices}  # overall | all | a slicing key | a slice's name | a list of these",
        "    max_drop: 0.02  # at most 2 points below the baseline, proven",
        "  - metric: precision",
        f"    slices: {slices}",
        "    max_drop: 0.03",
        "  - metric: negative_flip_rate  # right before, wrong now",
        "    at_most: 0.05",
    ]


def quote(value: Answer) -> str:
    r"""A value as YAML that reads back as that value and type, in YAML 1.1 and 1.2 alike.

    >>> quote("video"), quote("no"), quote(1), quote("1"), quote('say "a: b"')
    ('video', '"no"', '1', '"1"', '"say \\"a: b\\""')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    plain = _PLAIN.fullmatch(value) and value.casefold() not in _YAML_1_1_WORDS
    if plain and isinstance(resolve(value), str):
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
