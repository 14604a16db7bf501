"""What can be asked of a model: the metrics, and the checks that limit them. Pure."""
