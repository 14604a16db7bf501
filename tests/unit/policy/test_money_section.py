"""The ``cost`` section: one clear mistake for everything that is no bill."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prunegate.policy.load import parse_policy

HEAD = """\
prunegate: 1
name: x
task: {kind: binary, positive: unsafe}
rules: [{metric: recall, at_least: 0.5}]
"""
PRICE = "billing: {per_inference: {baseline: 0.0042}}"
COURSE = "volumes: {now: 180000, target: 800000, months: 18}"
TIER = "{up_to: 9, per_inference: {baseline: 1}}"
OPEN = "{per_inference: {baseline: 1}}"

REFUSED = {
    "a negative price": (
        f"billing: {{per_inference: {{baseline: -1}}}}, {COURSE}",
        ("cost.billing.per_inference.baseline: got -1, expected a price per inference above 0, a "
        "bare number such as 0.0042"),
    ),
    "a price that is no number": (
        f"billing: {{per_inference: {{baseline: .nan}}}}, {COURSE}",
        "cost.billing.per_inference.baseline: got .nan; a number here must be finite",
    ),
    "a price with its unit": (
        f"billing: {{per_inference: {{baseline: 0.0042 EUR}}}}, {COURSE}",
        ('cost.billing.per_inference.baseline: got "0.0042 EUR", expected a price per inference '
        "above 0, a bare number such as 0.0042"),
    ),
    "an unknown currency": (
        f"currency: EUX, {PRICE}",
        "cost.currency: 'EUX' is no currency of ISO 4217; expected a code such as EUR or USD",
    ),
    "a second currency": (
        f"currency: EUR, {PRICE}, one_off: 1200 USD",
        ('cost.one_off: got "1200 USD", expected an amount of at least 0, a bare number such as '
        "1200"),
    ),
    "a currency of its own for the bill": (
        "billing: {currency: USD, per_inference: {baseline: 1}}",
        ("cost.billing.currency: unknown key 'currency'; valid: per_inference, instance, tiers, "
        "per_1k_tokens, per_second, tokens_per_inference, seconds_per_inference, other_inferences, "
        "discount, minimum_per_month"),
    ),
    "a term of the bill beside it": (
        f"currency: EUR, {PRICE}, discount: 0.18",
        ("cost.discount: unknown key 'discount'; it goes under 'billing'"),
    ),
    "two units in one bill": (
        "billing: {per_inference: {baseline: 1}, instance: {per_hour: 1, utilisation: 0.5}}, "
        + COURSE,
        ("cost.billing: got per_inference and instance; give exactly one of per_inference, "
        "instance, tiers, per_1k_tokens, per_second: a bill has one unit"),
    ),
    "no bill": (
        f"billing: {{}}, {COURSE}",
        ("cost.billing: got none; give exactly one of per_inference, instance, tiers, "
        "per_1k_tokens, per_second: a bill has "
        "one unit"),
    ),
    "growth without a target": (
        f"{PRICE}, volumes: {{now: 1, months: 3, growth: geometric}}",
        ("cost.volumes.target: missing; expected a whole number of inferences a month such as "
        "180000"),
    ),
    "a target before now": (
        f"{PRICE}, volumes: {{now: 1000, target: 400, months: 3}}",
        ("cost.volumes: target (400) lies below now (1,000); growth goes up. List volumes that "
        "shrink: {by_month: [...]}"),
    ),
    "a course beside a table": (
        f"{PRICE}, volumes: {{by_month: [1], target: 4}}",
        "cost.volumes.target: the key 'target' does not go with those beside it; remove one",
    ),
    "no months": (
        f"{PRICE}, volumes: {{now: 1, target: 4, months: 0}}",
        "cost.volumes.months: got 0, expected a whole number of months from 1 to 600",
    ),
    "an empty table": (
        f"{PRICE}, volumes: {{by_month: []}}",
        ("cost.volumes.by_month: got [], expected a list of at least one month's inferences such "
        "as [180000, 200000]"),
    ),
    "a negative volume": (
        f"{PRICE}, volumes: {{by_month: [3, -1]}}",
        "cost.volumes.by_month[1]: got -1, expected at least 0",
    ),
    "growth from nothing by factors": (
        f"{PRICE}, volumes: {{now: 0, target: 4, months: 2, growth: geometric}}",
        "cost.volumes: geometric growth cannot start or end at 0; write growth: linear",
    ),
    "a low that is high": (
        f"{PRICE}, volumes: {{now: 1, target: 4, months: 2, low: 5}}",
        "cost.volumes: low (5) lies above target (4); swap them",
    ),
    "a high that is low": (
        f"{PRICE}, volumes: {{by_month: [3, 4], high: [3, 3]}}",
        "cost.volumes: high lies below by_month in month 2; swap the two",
    ),
    "a scenario of other months": (
        f"{PRICE}, volumes: {{by_month: [3, 4], low: [3]}}",
        "cost.volumes: low has 1 month(s) and by_month 2; list as many",
    ),
    "overlapping tiers": (
        f"billing: {{tiers: [{TIER}, {TIER}, {OPEN}]}}, {COURSE}",
        ("cost.billing: tiers[1] ends at 9 and tiers[0] at 9, so they overlap; let 'up_to' rise "
        "from tier to tier"),
    ),
    "a tier after the last": (
        f"billing: {{tiers: [{OPEN}, {OPEN}]}}, {COURSE}",
        "cost.billing: tiers[0] has no 'up_to', but more tiers follow; only the last has no end",
    ),
    "volumes without a price": (
        f"billing: {{tiers: [{TIER}]}}, {COURSE}",
        ("cost.billing: the last of 'tiers' needs no 'up_to': remove it, so that every volume has "
        "a price"),
    ),
    "half a quotation": (
        f"billing: {{tiers: [{TIER}, {{per_inference: {{baseline: 1, candidate: 1}}}}]}}, {COURSE}",
        "cost.billing: quote the candidate's price in every tier, or in none (then it is scaled)",
    ),
    "instances without volumes": (
        "billing: {instance: {per_hour: 1, utilisation: 0.5}}",
        ("cost: what instances cost depends on the volume; add volumes: {now: 180000, target: "
        "800000, months: 18}"),
    ),
    "a utilisation in percent": (
        f"billing: {{instance: {{per_hour: 1, utilisation: 60}}}}, {COURSE}",
        "cost.billing.instance.utilisation: got 60, expected a share above 0 such as 0.6",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_bill_is_one_clear_mistake(
    name: str, mistakes: Callable[[str], list[str]]
) -> None:
    section, message = REFUSED[name]
    assert mistakes(f"{HEAD}cost: {{{section}}}\n") == [f"5: {message}"]


@pytest.mark.parametrize(
    "section",
    [
        f"currency: CHF, {PRICE}, one_off: 1200",
        f"{PRICE}, volumes: {{now: 0, target: 9, months: 2, low: 0, high: 9}}",
        f"{PRICE}, volumes: {{now: 5, by_month: [9, 0, 4], low: [0, 0, 4], high: [9, 9, 9]}}",
        f"billing: {{tiers: [{TIER}, {OPEN}]}}, {COURSE}",
        f"billing: {{instance: {{per_hour: 1.2, utilisation: 0.6, minimum: 0}}}}, {COURSE}",
    ],
)
def test_bills_of_every_kind_are_taken(section: str) -> None:
    assert parse_policy(f"{HEAD}cost: {{{section}}}\n").cost is not None


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("metric: saving, at_least: 9", "rules[0].metric: saving needs cost: {volumes: "),
        ("metric: break_even_month, at_most: 9", "rules[0].metric: break_even_month needs cost: "),
        ("metric: saving, max_drop: 9", "rules[0].max_drop: saving compares the two models "),
        ("metric: break_even_month, max_ratio: 2", "use at_most"),
        ("metric: break_even_month, at_most: 0", "months are counted from 1"),
    ],
)
def test_rules_on_money_ask_for_what_there_is(
    rule: str, message: str, rule_mistakes: Callable[..., list[str]]
) -> None:
    found = rule_mistakes(f"{{{rule}}}", f"cost: {{{PRICE}}}\n")
    assert any(message in line for line in found)


def test_a_month_beyond_the_projection_is_no_limit(
    rule_mistakes: Callable[..., list[str]],
) -> None:
    rest = f"cost: {{{PRICE}, {COURSE}}}\n"
    assert rule_mistakes("{metric: break_even_month, at_most: 18}", rest) == []
    assert rule_mistakes("{metric: saving, at_least: -5}", rest) == []
    assert rule_mistakes("{metric: break_even_month, at_most: 19}", rest) == [
        (
            "4: rules[0].at_most: got 19, but 'cost: volumes' ends with month 18; project further, "
            "or ask for less"
        )
    ]
