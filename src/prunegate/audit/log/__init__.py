"""The tamper-evident log: an RFC 6962 Merkle tree, its checkpoint signed, every entry provable.

An entry is opaque bytes here; :mod:`prunegate.audit.log.entry` reads what our entries say. The
folder, how crashes are survived and what a key holder can still do: ``docs/audit.md``, "The log".
"""
