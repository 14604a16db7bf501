"""One object per kind of task: what ``run`` asks of models, and what it makes of their answers."""
