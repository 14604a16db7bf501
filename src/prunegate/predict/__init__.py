"""Predict: a model over labelled data gives the scores that the gate judges."""
