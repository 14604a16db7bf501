"""Signing: keys, DSSE envelopes, in-toto statements and SSH signatures; who vouches for what."""
