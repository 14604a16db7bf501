"""A module that is put off: imported when called, not before, and otherwise as ever."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from prunegate.io.deferred_import import ADDRESS_SYNTAX, deferred

BODY = """\
def double(number, *, plus=0):
    return 2 * number + plus
"""


@pytest.fixture
def slow_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "slow_one.py").write_text(BODY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_one", raising=False)
    return "slow_one"


def test_it_is_imported_when_it_is_called(slow_one: str) -> None:
    with deferred(slow_one, "double"):
        double = import_module(slow_one).double
        assert not hasattr(sys.modules[slow_one], "__file__")
    assert slow_one not in sys.modules
    assert double(4, plus=1) == 9
    assert sys.modules[slow_one].__file__


def test_outside_and_where_it_is_loaded_nothing_changes(slow_one: str) -> None:
    with deferred(slow_one, "double"):
        pass
    module = import_module(slow_one)
    with deferred(slow_one, "double"):
        assert import_module(slow_one) is module
    assert sys.modules[slow_one] is module


def test_what_is_not_installed_is_still_not_there() -> None:
    with deferred("no_such_module_anywhere", "f"), pytest.raises(ImportError):
        import_module("no_such_module_anywhere")


@pytest.mark.slow
def test_addresses_are_checked_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What jsonschema took from us answers as the module itself does, which is loaded only then."""
    syntax, _ = ADDRESS_SYNTAX
    if find_spec(syntax) is None:
        pytest.skip(f"{syntax} is not installed")
    for name in [name for name in sys.modules if name.partition(".")[0] in ("jsonschema", syntax)]:
        monkeypatch.delitem(sys.modules, name)
    with deferred(*ADDRESS_SYNTAX):
        checker = import_module("jsonschema").Draft7Validator.FORMAT_CHECKER
    assert syntax not in sys.modules
    assert checker.conforms("http://example.org/a", "iri")
    assert not checker.conforms("no address at all", "iri")
    assert syntax in sys.modules
