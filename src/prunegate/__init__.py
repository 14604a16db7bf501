"""prunegate: the gate between a compressed neural network and production.

::

    import prunegate
    policy = prunegate.load_policy("policies/brand-safety-vit.yaml")
    verdict = prunegate.judge(policy, predictions)      # a frame or a path
    verdict.outcome                                     # "approve" | "reject" | "inconclusive"
    module = prunegate.load_candidate("candidate")      # a torch module that trains and saves

Importing the package loads no library; each name below loads what it needs when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prunegate._version import __version__

if TYPE_CHECKING:
    from prunegate.audit.record import DecisionRecord
    from prunegate.errors import InputError, PolicyError, PrunegateError, TableError
    from prunegate.gate import gate, judge, judge_counts
    from prunegate.models.candidate_module import load_candidate, save_candidate
    from prunegate.policy.load import load_policy
    from prunegate.policy.schema import Policy
    from prunegate.verdict.finding import Finding, Verdict

_HOMES = {
    "DecisionRecord": "prunegate.audit.record",
    "Finding": "prunegate.verdict.finding",
    "InputError": "prunegate.errors",
    "Policy": "prunegate.policy.schema",
    "PolicyError": "prunegate.errors",
    "PrunegateError": "prunegate.errors",
    "TableError": "prunegate.errors",
    "Verdict": "prunegate.verdict.finding",
    "gate": "prunegate.gate",
    "judge": "prunegate.gate",
    "judge_counts": "prunegate.gate",
    "load_candidate": "prunegate.models.candidate_module",
    "load_policy": "prunegate.policy.load",
    "save_candidate": "prunegate.models.candidate_module",
}

__all__ = [
    "DecisionRecord",
    "Finding",
    "InputError",
    "Policy",
    "PolicyError",
    "PrunegateError",
    "TableError",
    "Verdict",
    "__version__",
    "gate",
    "judge",
    "judge_counts",
    "load_candidate",
    "load_policy",
    "save_candidate",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'prunegate' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
