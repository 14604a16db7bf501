"""Generated creatives and a small vision transformer, so that everything runs offline.

Nothing is scripted: the images are rendered from a seed, the model is trained on them, and whatever
the gate then says about a pruned candidate is what it measured.
"""
