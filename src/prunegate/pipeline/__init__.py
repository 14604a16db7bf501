"""From a policy, models and labelled data to predictions: everything that comes before the gate."""
