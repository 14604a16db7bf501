"""Planning a gate before it is used: how many labels each test needs, and what the gate will do.

::

    pilot counts, or assumed rates --> groups (sizes, cell probabilities)
    groups + policy --> limits on slices --> needs (rows or positives for the chosen power)
    groups + limits --> simulated tables --> the gate's own decisions --> P(approve), P(reject)

"Nothing changed" is the truth that is planned for: the candidate errs as often as the baseline, on
other rows. Pure: counts and a seed in, plain values out.
"""

from prunegate.planning.plan import Plan, PlanRequest, plan

__all__ = ["Plan", "PlanRequest", "plan"]
