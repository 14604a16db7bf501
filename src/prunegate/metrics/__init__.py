"""What can be asked of a model: the metrics of each kind of task, and the checks. Pure."""
