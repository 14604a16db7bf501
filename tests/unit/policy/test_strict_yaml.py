from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.policy.yaml.document import MAX_BYTES, MAX_LINE, read_yaml
from prunegate.policy.yaml.events import MAX_DEPTH, MAX_VALUES


def flaws(text: str) -> list[tuple[int, str]]:
    return [(flaw.mark.line, flaw.message) for flaw in read_yaml(text).flaws]


WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=8)
LEAVES = (
    st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
)


@pytest.mark.slow
@given(st.dictionaries(WORDS, VALUES, max_size=4))
def test_json_is_read_as_json(value: dict[str, object]) -> None:
    document = read_yaml(json.dumps(value, ensure_ascii=False, indent=1))
    assert document.flaws == ()
    assert document.value == value


def test_every_key_and_value_is_located() -> None:
    document = read_yaml("a: 1\nb:\n  - c: x\n    d: [2,\n      3]\n")
    assert document.value == {"a": 1, "b": [{"c": "x", "d": [2, 3]}]}
    assert document.locate(("a",)) == (1, 4)
    assert document.locate(("b",)) == (2, 1)
    assert document.locate(("b", 0)) == (3, 5)
    assert document.locate(("b", 0, "c")) == (3, 8)
    assert document.locate(("b", 0, "d")) == (4, 5)
    assert document.locate(("b", 0, "d", 1)) == (5, 7)


def test_a_missing_key_is_located_where_it_is_missing() -> None:
    document = read_yaml("a: 1\nb:\n  - c: x\n")
    assert document.locate(("b", 0, "nope")) == (3, 5)
    assert document.locate(("nope",)) == (1, 1)


REFUSED = {
    "duplicate key": ("a: 1\na: 2\n", (2, "duplicate key; it is on line 1 already")),
    "anchor": ("a: &x 1\n", (1, "anchors (&x) are not allowed; remove it")),
    "alias": ("a: *x\n", (1, "references (*x) are not allowed; repeat the value")),
    "merge": ("<<: {a: 1}\n", (1, "merge keys (<<) are not allowed; write the keys out")),
    "python tag": (
        "a: !!python/object/apply:os.system [ls]\n",
        (1, "tags (tag:yaml.org,2002:python/object/apply:os.system) are not allowed; remove it"),
    ),
    "binary tag": (
        "a: !!binary aGk=\n",
        (1, "tags (tag:yaml.org,2002:binary) are not allowed; remove it"),
    ),
    "local tag": ("a: !x 1\n", (1, "tags (!x) are not allowed; remove it")),
    "nan": ("a: .nan\n", (1, "got .nan; a number here must be finite")),
    "number as key": ("1: a\n", (1, "got the key 1, expected text: quote it")),
    "true as key": ("true: a\n", (1, "got the key true, expected text: quote it")),
    "nothing as key": (": a\n", (1, "got the key nothing, expected text: quote it")),
    "010 as key": ("010: a\n", (1, "got the key 010, expected text: quote it")),
    "list as key": ("? [a]\n: 1\n", (1, "a key must be text, not a list or mapping")),
    "no value": ("a:\nb: 1\n", (1, "no value; write one or remove the key")),
    "second document": (
        "a: 1\n---\nb: 2\n",
        (2, "a second document starts here; keep one per file"),
    ),
    "YAML 1.1": ("%YAML 1.1\n---\na: 1\n", (2, "remove the % directive; policies are YAML 1.2")),
    "YAML 1.3": ("%YAML 1.3\n---\na: 1\n", (1, "remove the % directive; policies are YAML 1.2")),
    "YAML 9.9": (
        "%YAML 9.9\n---\na: 1\n",
        (1, "not YAML: found incompatible YAML document (version 1.* is required)"),
    ),
    "tag directive": (
        "%TAG ! tag:x,2000:\n---\na: 1\n",
        (2, "remove the % directive; policies are YAML 1.2"),
    ),
    "NUL": ("a: 1\nb: \0x\n", (2, "control character U+0000; remove it")),
    "bell": ("a: 1\n# \x07\n", (2, "control character U+0007; remove it")),
    "C1 control": ("a: \x9bm\n", (1, "control character U+009B; remove it")),
    "half a pair": (
        'a: "\\uD83D"\n',
        (1, "an escape that is not a character (NUL or half of a pair); write the character"),
    ),
    "NUL escaped": (
        'a: "\\0"\n',
        (1, "an escape that is not a character (NUL or half of a pair); write the character"),
    ),
    "NUL escaped in a key": (
        '"\\0": 1\n',
        (1, "an escape that is not a character (NUL or half of a pair); write the character"),
    ),
    "empty": ("", (1, "the file is empty; 'prunegate policy new' writes a policy to start from")),
    "comments only": (
        "# a\n\n",
        (1, "the file is empty; 'prunegate policy new' writes a policy to start from"),
    ),
    "list": ("- a\n", (1, "got [\"a\"], expected keys and values such as 'prunegate: 1'")),
    "text": ("a\n", (1, "got \"a\", expected keys and values such as 'prunegate: 1'")),
}


@pytest.mark.parametrize(("text", "flaw"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, flaw: tuple[int, str]) -> None:
    assert flaw in flaws(text)


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\n\tb: 2\n", 2, "indent with spaces, not tabs"),
        ("a: 1\nb: [1, 2\n", 3, "not YAML: while parsing a flow sequence"),
        ("a: 'x\n", 2, "not YAML: while scanning a quoted scalar"),
        ('a: "\\UFFFFFFFF"\n', 1, "not YAML"),
        ("a: b: c\n", 1, "not YAML: mapping values are not allowed here"),
    ],
)
def test_syntax_errors_are_one_line_with_its_number(text: str, line: int, part: str) -> None:
    ((number, message),) = flaws(text)
    assert (number, part in message, "\n" in message) == (line, True, False)


def test_all_flaws_are_listed_and_the_rest_is_read() -> None:
    document = read_yaml("a: 1\na: 2\nb: &x no\nc: *x\nd: 010\ne: {f: .inf, f: 1}\n")
    assert [flaw.mark.line for flaw in document.flaws] == [2, 3, 4, 5, 6, 6]
    assert document.value is not None
    assert document.value["a"] == 1
    assert document.value["b"] == "no"


def test_what_a_duplicate_key_holds_does_not_replace_or_relocate_the_first() -> None:
    document = read_yaml("a: {b: 1}\na: {b: 2, c: 3}\n")
    assert document.value == {"a": {"b": 1}}
    assert document.locate(("a", "b")).line == 1
    assert document.locate(("a", "c")).line == 1


@pytest.mark.slow
@pytest.mark.parametrize("open_", ["[", "{a: ", "- ", "? "])
def test_nesting_stops_at_the_limit(open_: str) -> None:
    message = f"more than {MAX_DEPTH} levels of nesting; a policy needs five"
    assert flaws(open_ * 100_000)[-1][1] in (
        message,
        "a line of more than 65536 characters; break it",
    )
    assert flaws(open_ * 1000)[-1][1] == message


def test_the_limit_of_nesting_itself_is_fine() -> None:
    inside = MAX_DEPTH - 1
    assert flaws("a: " + "[" * inside + "]" * inside) == []
    assert len(flaws("a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH)) == 1


@pytest.mark.slow
def test_sizes_stop_at_the_limit() -> None:
    one_mib = "more than 1 MiB; a policy is a page or two: put data in a table"
    assert flaws("#" * 99 + "\n" + "é\n" * (MAX_BYTES // 3)) == [(1, one_mib)]
    assert flaws("a: 1\n#" + "x" * MAX_LINE) == [
        (2, f"a line of more than {MAX_LINE} characters; break it")
    ]
    many = "a:\n" + "- 1\n" * MAX_VALUES
    assert flaws(many) == [(9999, f"more than {MAX_VALUES} keys and values; put data in a table")]


def test_a_byte_order_mark_is_not_content() -> None:
    assert read_yaml("\ufeffa: 1\n").value == {"a": 1}


@given(st.text(max_size=60) | st.text("{}[]:,-?*&!|>'\"%@`#\n\t \\aux01.~<", max_size=60))
def test_reading_never_raises(text: str) -> None:
    document = read_yaml(text)
    assert document.flaws or document.value is not None
    assert all("\n" not in flaw.message for flaw in document.flaws)
