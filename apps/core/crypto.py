"""Secrets at rest and keyed hashes behind one interface: AES-256-GCM by default, SM4-GCM for the 国密 profile."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CryptoProvider(Protocol):
    """What the product needs of a crypto module; a certified device can stand behind it."""

    @property
    def key_id(self) -> str:
        """Id of the key used for new ciphertexts and MACs."""

    def encrypt(self, plain: str, *, context: str) -> str:
        """Ciphertext `v1:<cipher>:<key id>:<base64>`; `context` is authenticated (table.field:id)."""

    def decrypt(self, sealed: str, *, context: str) -> str:
        """The plain text; raises ValueError when it was changed, moved or its key is missing."""

    def mac(self, data: bytes, *, purpose: str, key_id: str | None = None) -> bytes:
        """32-byte HMAC-SHA-256 with a key derived for `purpose`."""


class LocalProvider:
    """Keys from a file of lines `key-id:base64(32 bytes)`; the first encrypts, all decrypt."""

    def __init__(self, key_file: str, cipher: str = "aes-gcm") -> None:
        self._keys = self._read(key_file)
        self._cipher = cipher
        self.key_id = next(iter(self._keys))

    @staticmethod
    def _read(key_file: str) -> dict[str, bytes]:
        if not key_file or not Path(key_file).is_file():
            raise ImproperlyConfigured(
                "VANTAGE_KEY_FILE names no file. Make one with `./vantage manage make_key`."
            )
        keys = {}
        for line in Path(key_file).read_text().split():
            name, _, value = line.partition(":")
            keys[name] = base64.b64decode(value)
            if len(keys[name]) != 32:
                raise ImproperlyConfigured(f"key {name} in VANTAGE_KEY_FILE must be 32 bytes in base64")
        if not keys:
            raise ImproperlyConfigured("VANTAGE_KEY_FILE is empty")
        return keys

    def _derive(self, key_id: str, purpose: str, size: int = 32) -> bytes:
        if key_id not in self._keys:
            raise ValueError(f"key {key_id} is not in the key file")
        return hmac.digest(self._keys[key_id], f"vantage:{purpose}".encode(), "sha256")[:size]

    def encrypt(self, plain: str, *, context: str) -> str:
        """See CryptoProvider.encrypt."""
        nonce = os.urandom(12)
        body = self._seal(self._cipher, self.key_id, nonce, plain.encode(), context.encode())
        return f"v1:{self._cipher}:{self.key_id}:{base64.b64encode(nonce + body).decode()}"

    def decrypt(self, sealed: str, *, context: str) -> str:
        """See CryptoProvider.decrypt."""
        version, cipher, key_id, encoded = sealed.split(":", 3)
        if version != "v1":
            raise ValueError("unknown ciphertext version")
        blob = base64.b64decode(encoded)
        try:
            return self._open(cipher, key_id, blob[:12], blob[12:], context.encode()).decode()
        except InvalidTag:
            raise ValueError("the secret was changed or belongs to another row") from None

    def mac(self, data: bytes, *, purpose: str, key_id: str | None = None) -> bytes:
        """See CryptoProvider.mac."""
        return hmac.digest(self._derive(key_id or self.key_id, f"mac:{purpose}"), data, hashlib.sha256)

    def _seal(self, cipher: str, key_id: str, nonce: bytes, plain: bytes, context: bytes) -> bytes:
        if cipher == "aes-gcm":
            return AESGCM(self._derive(key_id, "aes-gcm")).encrypt(nonce, plain, context)
        encryptor = Cipher(SM4(self._derive(key_id, "sm4-gcm", 16)), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(context)
        return encryptor.update(plain) + encryptor.finalize() + encryptor.tag

    def _open(self, cipher: str, key_id: str, nonce: bytes, body: bytes, context: bytes) -> bytes:
        if cipher == "aes-gcm":
            return AESGCM(self._derive(key_id, "aes-gcm")).decrypt(nonce, body, context)
        key = SM4(self._derive(key_id, "sm4-gcm", 16))
        decryptor = Cipher(key, modes.GCM(nonce, body[-16:])).decryptor()
        decryptor.authenticate_additional_data(context)
        return decryptor.update(body[:-16]) + decryptor.finalize()


@functools.lru_cache(maxsize=1)
def provider() -> CryptoProvider:
    """The configured provider (VANTAGE_KEY_FILE, VANTAGE_CIPHER = aes-gcm | sm4-gcm)."""
    return LocalProvider(settings.VANTAGE_KEY_FILE, os.environ.get("VANTAGE_CIPHER", "aes-gcm"))
