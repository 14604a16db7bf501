"""Bad claims files end in one list of mistakes with line, got and expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.claims import check_claims
from prunegate.errors import ClaimsError, InputError, ModelError, UnsupportedError
from prunegate.policy.load import parse_policy
from prunegate.policy.load_claims import parse_claims, read_claims

FILE = Path(__file__).parents[3] / "policies" / "brand-safety-vit.claims.yaml"
BAD = {
    "unknown key": ("claims: 1\nprices: {before: $1}", "2: prices: unknown key 'prices'; did you"),
    "misspelt": (
        "claims: 1\nmetrics: [{name: r, befor: 94 %, after: 1 %}]",
        "2: metrics[0].befor: unknown key 'befor'; did you mean 'before'?",
    ),
    "NaN": ("claims: 1\nheads: {before: .nan}", "2: heads.before: got .nan; a number here must be"),
    "NaN as text": ("claims: 1\nprice: {before: NaN}", 'price.before: got "NaN", expected one'),
    "no version": ("heads: {before: 144}", "1: claims: missing; expected 1, the version"),
    "true is no version": ("claims: true\nheads: {before: 144}", "1: claims: expected 1"),
    "currencies mixed": (
        "claims: 1\nprice: {before: $1}\nmonthly: [{volume: 5, before: €5}]",
        "amounts in EUR and USD; state all of them in one currency",
    ),
    "units mixed in a pair": (
        "claims: 1\nlatency: {before: 40 ms, after: 30 %}",
        'after: got "30 %", expected a time such as 40 ms',
    ),
    "share and number": (
        "claims: 1\nmetrics: [{name: r, before: 94 %, after: 0.93}]",
        "before and after have different units",
    ),
    "per cent of a share": (
        "claims: 1\nmetrics: [{name: r, before: 94 %, after: 93 %, change: 1 %}]",
        "expected points such as 1 point (per cent of a share can be read in two ways)",
    ),
    "per cent without sign": (
        "claims: 1\nparameters: {before: 86 M, after: 61 M, change: -29}",
        'change: got "-29" beside "86 M"; give its unit, such as -29 % or -25 M',
    ),
    "half a head": ("claims: 1\nheads: {before: 144.5}", 'before: got "144.5", expected a whole'),
    "negative price": ("claims: 1\nprice: {before: -$1}", "it cannot be negative"),
    "negative volume": ("claims: 1\nmonthly: [{volume: -5, before: $5}]", "expected a count"),
    "nothing stated": ("claims: 1\nprice: {}", "2: price: states nothing"),
    "ambiguous": ("claims: 1\nheads: {before: 0144}", "0144 is ambiguous"),
    "true": ("claims: 1\nheads: {before: true}", "heads.before: got true, expected text"),
    "twice": (
        "claims: 1\nmetrics: [{name: r, before: 1 %}, {name: r, before: 2 %}]",
        '"r" on "overall" is stated twice',
    ),
    "unknown architecture": (
        "claims: 1\nmodel: {architecture: ViT-B16, labels: 2}",
        "did you mean 'ViT-B/16'?",
    ),
    "no head said": ("claims: 1\nmodel: {architecture: ViT-B/16}", "'labels' goes with"),
    "no times": ("claims: 1\nlatency: {times: 0x}", "expected a factor such as 1.4x"),
    "a model and no source": ("claims: 1\nmodel: {labels: 2}", "or 'config', one of the two"),
    "a model of two sources": (
        "claims: 1\nmodel: {architecture: ViT-B/16, labels: 2, config: {hidden_size: 768}}",
        "give 'architecture' (with 'labels') or 'config', one of the two",
    ),
    "points beside a plain number": (
        "claims: 1\nmetrics: [{name: r, before: 0.91, after: 0.89, change: 2 points}]",
        'change: got "2 points" beside "0.91"; write both as shares (94 % and 1 point) or both',
    ),
    "times of a metric": (
        "claims: 1\nmetrics: [{name: r, before: 91 %, times: 1.4x}]",
        "metrics[0]: a metric has no 'times'; give 'change'",
    ),
    "no heads": ("claims: 1\nheads: {}", "heads: states nothing; give one of before, after"),
    "a month of nothing": (
        "claims: 1\nmonthly: [{volume: 5}]",
        "monthly[0]: states nothing; give 'before', 'after' or 'saving'",
    ),
    "a list": ("- 1", "1: got"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_each_mistake_says_where_and_what_is_expected(text: str, words: str) -> None:
    with pytest.raises(ClaimsError) as caught:
        parse_claims(text)
    assert words in str(caught.value)
    assert str(caught.value).startswith("1 mistake in the claims:\n  claims.yaml:")


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(ClaimsError) as caught:
        parse_claims("claims: 2\nheads: {before: many}\nprice: {now: $1}")
    assert [line.split(":")[1] for line in caught.value.mistakes] == ["1", "2", "3"]


def test_digits_survive_the_reading() -> None:
    stated = parse_claims("claims: 1\nprice: {before: 0.0040, after: '0.00400'}")
    assert stated.price is not None
    assert (stated.price.before, stated.price.after) == ("0.0040", "0.00400")


def test_a_plain_number_changes_by_a_plain_number() -> None:
    stated = parse_claims(
        "claims: 1\nmetrics: [{name: r, before: 0.91, after: 0.89, change: 0.02}]"
    )
    assert [one.change for one in stated.metrics] == ["0.02"]


def test_no_file_and_no_text_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file; a claims file begins with 'claims: 1'"):
        read_claims(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"claims: 1\nabout: caf\xe9\n")
    with pytest.raises(ClaimsError, match=r"latin.yaml:2: not UTF-8"):
        read_claims(tmp_path / "latin.yaml")


def test_a_config_that_cannot_be_is_refused() -> None:
    stated = parse_claims("claims: 1\nmodel: {config: {hidden_size: 770}}\nheads: {before: 144}")
    with pytest.raises(ModelError, match="not a multiple"):
        check_claims(stated)
    stated = parse_claims("claims: 1\nmodel: {config: {model_type: bert}}\nheads: {before: 144}")
    with pytest.raises(UnsupportedError, match="Remove 'model'"):
        check_claims(stated)


def test_a_policy_may_state_all_that_a_claims_file_may_and_in_the_same_words() -> None:
    """Numbers of figures keep their digits in both, and the others are numbers in both."""
    text = FILE.read_text(encoding="utf-8")
    body = "".join(f"    {line}\n" for line in text.splitlines() if not line.startswith("claims:"))
    policy = parse_policy(
        f"prunegate: 1\nname: x\ntask: {{kind: binary, positive: 1}}\nclaims:\n  figures:\n{body}"
        "rules: [{metric: recall, max_drop: 0.02}]\n"
    )
    assert policy.claims is not None
    assert policy.claims.figures == parse_claims(text)
