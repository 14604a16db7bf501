"""Scoring: the arithmetic of the importance criteria, one class a file behind one interface."""
