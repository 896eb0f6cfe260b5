"""The key file: masters by id, the first in use; retired ones keep only what verifies the audit."""

from __future__ import annotations

import base64
import hmac
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from django.core.exceptions import ImproperlyConfigured

AUDIT = "mac:audit"
RETIRED = "audit"
KEY_SIZE = 32


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """32 bytes (RFC 2104, FIPS 180-4)."""
    return hmac.digest(key, data, "sha256")


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """32 bytes (GB/T 32905, GB/T 15852.2)."""
    machine = HMAC(key, hashes.SM3())
    machine.update(data)
    return machine.finalize()


HASHES = {"sha256": hmac_sha256, "sm3": hmac_sm3}


@dataclass(frozen=True, slots=True)
class Key:
    """A master of 32 bytes, or (retired) the two derived audit subkeys only."""

    id: str
    master: bytes | None
    audit: dict[str, bytes]

    @property
    def is_retired(self) -> bool:
        """Nothing but audit records can be verified with it."""
        return self.master is None

    def derive(self, purpose: str, digest: str = "sha256") -> bytes:
        """The 32-byte subkey of a purpose; raises ValueError where a retired key is asked for another."""
        if self.master is not None:
            return HASHES[digest](self.master, f"vantage:{purpose}".encode())
        if purpose == AUDIT:
            return self.audit[digest]
        raise ValueError(f"key {self.id} is retired")

    def retired(self) -> Key:
        """What is left of it."""
        return Key(self.id, None, {digest: self.derive(AUDIT, digest) for digest in HASHES})

    def line(self) -> str:
        """As the file holds it."""
        if self.master is not None:
            return f"{self.id}:{base64.b64encode(self.master).decode()}"
        parts = [base64.b64encode(self.audit[digest]).decode() for digest in HASHES]
        return ":".join([self.id, RETIRED, *parts])


def read_keys(key_file: str) -> dict[str, Key]:
    """Keys by id in the file's order; raises ImproperlyConfigured for a missing, empty or broken file."""
    if not key_file or not Path(key_file).is_file():
        raise ImproperlyConfigured(
            "VANTAGE_KEY_FILE names no file. Make one with `./vantage manage make_key`."
        )
    keys = {}
    for line in Path(key_file).read_text().split():
        name, *values = line.split(":")
        keys[name] = _parsed(name, values)
    if all(key.is_retired for key in keys.values()):
        raise ImproperlyConfigured("VANTAGE_KEY_FILE holds no key that is in use")
    return keys


def _parsed(name: str, values: list[str]) -> Key:
    try:
        raw = [base64.b64decode(value, validate=True) for value in values if value != RETIRED]
    except ValueError:
        raw = []
    if values[:1] == [RETIRED] and [len(part) for part in raw] == [KEY_SIZE] * len(HASHES):
        return Key(name, None, dict(zip(HASHES, raw, strict=True)))
    if len(values) == 1 and len(raw) == 1 and len(raw[0]) == KEY_SIZE:
        return Key(name, raw[0], {})
    raise ImproperlyConfigured(f"key {name} in VANTAGE_KEY_FILE must be 32 bytes in base64")


def write_keys(key_file: str, keys: list[Key]) -> None:
    """Replace the file at once (mode 0600): a reader finds the old one or the new one."""
    path = Path(key_file)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write("".join(f"{key.line()}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, path)
