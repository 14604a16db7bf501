"""Tests, intervals and planning: numbers in, result objects out.

One estimator per file, each with its source. Nothing here knows of policies, metrics or files,
and nothing reads the clock or global random state. Two conventions hold everywhere:

* larger is better, and a claim about two rates reads ``candidate - k * baseline >= -margin``;
  callers flip what is better when small;
* every test gives two one-sided p-values (`prunegate.stats.result.TestResult`): one that shows the
  limit to hold, one that shows it to be broken.
"""
