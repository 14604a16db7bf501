"""Compress: rank the parts of a model, take some out, train the rest to recover.

Everything here works on modules and arrays; files belong to ``models``, images to ``predict``.
"""
