"""What must hold: the policy's nouns, its strict loading, its words.

Pure: no torch, no I/O but the policy file.
"""

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.metric import Metric
from prunegate.policy.load import PolicyFile, load_policy, parse_policy, read_policy
from prunegate.policy.schema import Policy, Rule, SliceSpec

__all__ = [
    "METRICS",
    "Metric",
    "Policy",
    "PolicyFile",
    "Rule",
    "SliceSpec",
    "load_policy",
    "parse_policy",
    "read_policy",
]
