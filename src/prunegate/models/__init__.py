"""Models: load, save, digest; one file per architecture family.

The only packages that know torch and transformers are this one and those built on it (``compress``,
``predict``). ``digest``, ``kept``, ``surgery_json`` and ``vit_geometry`` need neither, so that
a gate or an auditor can read a candidate's manifest without them.
"""
