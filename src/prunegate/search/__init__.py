"""Search: the smallest candidate that passes the policy's rules, then one gate on fresh rows.

Candidates are made and judged on the search split, by the same rules and the same tests as in the
gate; the gate split is looked at once, with the one that was chosen. A candidate that fails is
never chosen, however near it comes.
"""
