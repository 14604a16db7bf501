"""Pages say all there is (commands, options, keys, metrics), and what they name is there."""

from __future__ import annotations

import json
import re
import runpy
import sys
import tomllib
from pathlib import Path

import click
import pytest
from tests.benchmarks.demo_table import NAMES, lines
from tests.functional.pages import DOCS, ROOT, pages, text_of

import prunegate
from prunegate.cli import cli
from prunegate.criteria import CRITERIA
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.task_traits import TRAITS
from prunegate.models.family import architectures
from prunegate.policy.json_schema import json_schema
from prunegate.policy.schema import CHECKS

EXTENDING = ROOT / "docs" / "extending"


def test_the_generated_pages_are_current(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["tools/reference", "--check"])
    monkeypatch.setattr("sys.path", sys.path.copy())
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "tools" / "reference"), run_name="__main__")
    assert stop.value.code == 0, capsys.readouterr().out


def commands(group: click.Group, path: str) -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name in group.list_commands(click.Context(group)):
        one = group.get_command(click.Context(group), name)
        if isinstance(one, click.Group):
            found |= commands(one, f"{path} {name}")
        elif one is not None:
            found[f"{path} {name}"] = one
    return found


def test_every_command_and_option_is_documented() -> None:
    page = text_of("docs/reference/command-line.md")
    for path, one in commands(cli, "prunegate").items():
        section = page.partition(f"\n## {path}\n")[2].partition("\n## ")[0]
        assert section, path
        assert one.help, path
        for option in (param for param in one.params if isinstance(param, click.Option)):
            assert option.help, f"{path} {option.opts[0]} has no help"
            assert f"`{option.opts[0]}`" in section, f"{path} {option.opts[0]}"


def test_every_key_of_the_policy_has_a_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\|(.*)\|$", text_of("docs/reference/policy.md"), re.M)
    assert rows
    for key, meaning in rows:
        assert meaning.strip(), f"{key}: add a docstring under the field"


def test_every_kind_of_task_is_shown_with_its_metrics() -> None:
    page = text_of("docs/metrics.md")
    for name in TRAITS:
        assert f"task: {{kind: {name}" in page, name
        row = next((r for r in page.splitlines() if r.startswith(f"| {name} |")), "")
        lacking = [m.name for m in METRICS.values() if name in m.tasks and f"`{m.name}`" not in row]
        assert lacking == [], name


def test_every_metric_and_limit_is_explained() -> None:
    page = text_of("docs/metrics.md")
    for name in (*json_schema()["$defs"]["Rule"]["properties"]["metric"]["enum"], *CHECKS):
        assert f"`{name}`" in page, name


def test_every_model_class_is_listed() -> None:
    for name in architectures():
        assert name in text_of("docs/compression.md")


def test_the_table_of_the_demo_is_what_its_records_say() -> None:
    first, second = (json.loads(path.read_text(encoding="utf-8")) for path in NAMES)
    assert "\n".join(lines(first, second)) in text_of("docs/quickstart.md")


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").split()) < 1000


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    named = re.findall(r"([\w/-]+\.md)$", navigation, flags=re.MULTILINE)
    assert sorted(named) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_the_pages_and_files_that_pages_link_to_are_there() -> None:
    for page in pages():
        folder = (ROOT / page).parent
        for name in re.findall(r"\]\((?!http|#)([^)#\s]+)", text_of(page)):
            of_the_site = name.endswith((".html", ".png")) and page.startswith("docs/")
            assert of_the_site or (folder / name).exists(), f"{page}: {name}"


def test_the_files_that_pages_name_are_there() -> None:
    """Paths in code such as `policy/schema.py`: from the root, from the package, from the tests."""
    starts = (ROOT, ROOT / "src" / "prunegate", ROOT / "tests")
    for page in pages():
        for name in re.findall(
            r"`(?:python )?([\w.-]+/[\w./-]+\.(?:py|j2|toml|md))`", text_of(page)
        ):
            assert any((start / name).exists() for start in starts), f"{page}: {name}"


def test_decisions_are_listed_and_have_their_headings() -> None:
    index = text_of("docs/decisions/index.md")
    for path in sorted((DOCS / "decisions").glob("0*.md")):
        text = path.read_text(encoding="utf-8")
        assert f"({path.name})" in index
        for heading in ("Context", "Decision", "Weighed", "Consequences"):
            assert f"**{heading}.**" in text, f"{path.name}: {heading}"


def terms() -> list[str]:
    page = text_of("docs/glossary.md").partition("## Words that we avoid")[0]
    rows = re.findall(r"^\| (\*\*.*?) \|", page, flags=re.MULTILINE)
    return [term for row in rows for term in re.findall(r"\*\*(.+?)\*\*", row)]


def test_the_glossary_has_each_term_once() -> None:
    found = terms()
    assert len(found) > 100
    assert len(set(found)) == len(found)


def test_the_version_stands_in_two_places_and_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == prunegate.__version__


def test_no_page_names_a_path_of_a_machine() -> None:
    for page in pages():
        assert not re.search(r"/(?:home|root|work|Users)/\w", text_of(page)), Path(page)


def test_the_criteria_are_told_as_their_entries_say() -> None:
    page = text_of("docs/compression.md")
    for criterion in CRITERIA.values():
        words = criterion.words.replace("|", "\\|")
        begins = f"| {criterion.name} | {words} | "
        row = next((line for line in page.splitlines() if line.startswith(begins)), "")
        assert row, f"docs/compression.md has no row that begins: {begins}"
        assert ("rows" in row.rsplit("| ", 1)[1]) == criterion.looks_at_rows


GUIDES = ("docs/extending.md", *sorted(f"docs/extending/{p.name}" for p in EXTENDING.glob("*.md")))
ELSEWHERE = {"tokenizer.json", "preprocessor_config.json", "surgery.json", "every.py"}
"""Files of models, and one that its folder is named before."""


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_to_extending_names_is_there(guide: str) -> None:
    page = text_of(guide)
    for name in re.findall(r"`([\w/.*-]+\.(?:py|toml|md|yaml|html|j2|json))`", page):
        places = (ROOT, ROOT / "src/prunegate", ROOT / "docs")
        assert name in ELSEWHERE or any(any(place.glob(name)) for place in places), name
    for word, file in re.findall(r"`(\w+)`\s+(?:of|in)\s+`([\w/]+\.py)`", page):
        found = next(p for p in (ROOT / file, ROOT / "src/prunegate" / file) if p.is_file())
        assert re.search(rf"\b{word}\b", found.read_text(encoding="utf-8")), (word, file)
