"""A module that takes seconds to import, put off until something in it is called.

Libraries import what they may need some day. jsonschema, which comes with Great Expectations, takes
``rfc3987_syntax`` where it finds it (with Jupyter it does), and that one builds 38 parsers as it is
read: more than a second in each process, for a check of web addresses that nobody here asks for.
Whoever does ask gets the very answer, and the import then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

ADDRESS_SYNTAX = ("rfc3987_syntax", "is_valid_syntax")
"""What jsonschema takes, and seldom calls."""


@contextmanager
def deferred(module: str, *functions: str) -> Iterator[None]:
    """Let whoever imports these functions of a module inside get some that import it when called.

    Nothing changes where the module is loaded already, or is not installed. Outside, the module is
    imported as ever.
    """
    if module in sys.modules or find_spec(module) is None:
        yield
        return
    stand_in = ModuleType(module)
    for name in functions:
        setattr(stand_in, name, _calling(module, name))
    sys.modules[module] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(module) is stand_in:
            del sys.modules[module]


def _calling(module: str, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        return getattr(import_module(module), name)(*arguments, **named)

    return call
