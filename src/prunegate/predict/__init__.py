"""Predict: a model over labelled data gives what the gate judges: scores, labels, likelihoods."""
