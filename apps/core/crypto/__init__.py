"""Secrets at rest and keyed hashes behind one interface; see docs/adr/0013."""

from apps.core.crypto.provider import CryptoProvider, LocalProvider, provider

__all__ = ["CryptoProvider", "LocalProvider", "provider"]
