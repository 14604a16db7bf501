"""Sentences that packages ship: what begins each docstring of pandas and of torch."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator

MODULES = {
    "pandas": ("pandas", "pandas.core.arrays", "pandas.core.groupby.generic", "pandas.io.api"),
    "torch": ("torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.distributions"),
}


def sentences(package: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """(sentence, kind of what it describes), each sentence once: splits must not share one."""
    for name in MODULES[package]:
        module = importlib.import_module(name)
        for _, found in sorted(inspect.getmembers_static(module)):
            members = sorted(inspect.getmembers_static(found)) if inspect.isclass(found) else []
            for kind, one in [("function", found), *(("method", m) for _, m in members)]:
                told = getattr(one, "__doc__", None)
                told = told if callable(one) and isinstance(told, str) else ""
                text = " ".join(re.findall(r"\w+", told.strip().split(". ")[0].lower()))
                text = text.replace(package, "it")
                if 20 < len(text) < 160 and text not in seen:
                    seen.add(text)
                    yield text, kind
