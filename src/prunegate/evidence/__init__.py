"""Counts -> evidence: what one slice says about one metric, ready to be tested."""
