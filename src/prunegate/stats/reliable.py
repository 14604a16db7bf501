"""Reliable: from how many rows on a method's error rates are known; below, it claims nothing.

Kept apart from the methods, so that whoever checks their use need not load them.
"""

RELIABLE_ROWS = 300
"""Rows of a mean."""
SCORE_MINIMUM = 50
"""Denominator of precision and F1 from which the simulated error rates of the score test are
known."""
