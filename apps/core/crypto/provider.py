"""The provider: AES-256-GCM and HMAC-SHA-256 by default, SM4-GCM and HMAC-SM3 in the profile `guomi`."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core.crypto.keys import HASHES, Key, read_keys

NONCE = 12
TAG = 16


@dataclass(frozen=True, slots=True)
class Profile:
    """Which algorithms new ciphertexts and keyed hashes use, and whether stored media are encrypted."""

    name: str
    cipher: str
    digest: str
    encrypts_media: bool


PROFILES = {
    "default": Profile("default", "aes-gcm", "sha256", encrypts_media=False),
    "guomi": Profile("guomi", "sm4-gcm", "sm3", encrypts_media=True),
}
_KEY_BYTES = {"aes-gcm": 32, "sm4-gcm": 16}


class CryptoProvider(Protocol):
    """What the product needs of a crypto module; a certified device can stand behind it."""

    @property
    def key_id(self) -> str:
        """Id of the key used for new ciphertexts and keyed hashes."""

    @property
    def mac_id(self) -> str:
        """The same with the hash's algorithm: what a row notes beside its keyed hash."""

    @property
    def prefix(self) -> str:
        """How every new ciphertext begins: `v2:<cipher>:<key id>:`."""

    @property
    def encrypts_media(self) -> bool:
        """Whether files are encrypted before they are stored."""

    def encrypt(self, plain: str, *, context: str) -> str:
        """Ciphertext `<prefix><base64>`; `context` is authenticated (table.field:id)."""

    def decrypt(self, sealed: str, *, context: str) -> str:
        """The plain text; raises ValueError when it was changed, moved or its key is missing."""

    def wrap(self, data: bytes, *, context: str) -> bytes:
        """The same for a file's bytes: a data key of its own, wrapped in the head."""

    def unwrap(self, sealed: bytes, *, context: str) -> bytes:
        """The bytes; raises ValueError."""

    def rewrap(self, sealed: bytes, *, context: str) -> bytes:
        """The same file under the present key: its data key stays, only the head is new."""

    def wrapped_by(self, sealed: bytes) -> str:
        """The prefix of the key that wrapped a file; empty for a plain one."""

    def mac(self, data: bytes, *, purpose: str, key_id: str | None = None) -> bytes:
        """32-byte keyed hash; `key_id` is a `mac_id` (default the present one)."""


class LocalProvider:
    """Keys from a file (see `keys`); the first that is not retired encrypts, all decrypt."""

    MAGIC = b"VMF1"

    def __init__(self, key_file: str, profile: str = "default") -> None:
        if profile not in PROFILES:
            raise ImproperlyConfigured(f"VANTAGE_CRYPTO_PROFILE must be one of {', '.join(PROFILES)}")
        self.profile = PROFILES[profile]
        self._keys = read_keys(key_file)
        self.key_id = next(key.id for key in self._keys.values() if not key.is_retired)

    @property
    def mac_id(self) -> str:
        """See CryptoProvider.mac_id."""
        return self.key_id if self.profile.digest == "sha256" else f"{self.key_id}/{self.profile.digest}"

    @property
    def prefix(self) -> str:
        """See CryptoProvider.prefix."""
        return f"v2:{self.profile.cipher}:{self.key_id}:"

    @property
    def encrypts_media(self) -> bool:
        """See CryptoProvider.encrypts_media."""
        return self.profile.encrypts_media

    def encrypt(self, plain: str, *, context: str) -> str:
        """See CryptoProvider.encrypt."""
        key = self._subkey("v2", self.profile.cipher, self.key_id, "text")
        sealed = _seal(self.profile.cipher, key, plain.encode(), context.encode())
        return f"{self.prefix}{base64.b64encode(sealed).decode()}"

    def decrypt(self, sealed: str, *, context: str) -> str:
        """See CryptoProvider.decrypt."""
        version, cipher, key_id, encoded = sealed.split(":", 3)
        key = self._subkey(version, cipher, key_id, "text")
        return _open(cipher, key, base64.b64decode(encoded), context.encode()).decode()

    def wrap(self, data: bytes, *, context: str) -> bytes:
        """See CryptoProvider.wrap."""
        data_key = os.urandom(_KEY_BYTES[self.profile.cipher])
        body = _seal(self.profile.cipher, data_key, data, context.encode())
        return self._head(data_key, self.profile.cipher, context) + body

    def unwrap(self, sealed: bytes, *, context: str) -> bytes:
        """See CryptoProvider.unwrap."""
        data_key, cipher, body = self._unwrapped(sealed, context)
        return _open(cipher, data_key, body, context.encode())

    def rewrap(self, sealed: bytes, *, context: str) -> bytes:
        """See CryptoProvider.rewrap. A file of the other profile's cipher is encrypted anew."""
        data_key, cipher, body = self._unwrapped(sealed, context)
        if cipher != self.profile.cipher:
            return self.wrap(_open(cipher, data_key, body, context.encode()), context=context)
        return self._head(data_key, cipher, context) + body

    def wrapped_by(self, sealed: bytes) -> str:
        """See CryptoProvider.wrapped_by."""
        if not sealed.startswith(self.MAGIC):
            return ""
        size = sealed[4]
        return sealed[5 : 5 + size].decode("ascii", "replace")

    def mac(self, data: bytes, *, purpose: str, key_id: str | None = None) -> bytes:
        """See CryptoProvider.mac."""
        name, _slash, digest = (key_id or self.mac_id).partition("/")
        digest = digest or "sha256"
        if digest not in HASHES:
            raise ValueError(f"unknown keyed hash {digest}")
        return HASHES[digest](self._key(name).derive(f"mac:{purpose}", digest), data)

    def masters(self) -> list[Key]:
        """All keys in the file's order."""
        return list(self._keys.values())

    def _key(self, key_id: str) -> Key:
        if key_id not in self._keys:
            raise ValueError(f"key {key_id} is not in the key file")
        return self._keys[key_id]

    def _subkey(self, version: str, cipher: str, key_id: str, use: str) -> bytes:
        """v1 derived by cipher alone and always by SHA-256; v2 by use, in SM3 for SM4."""
        if cipher not in _KEY_BYTES:
            raise ValueError(f"unknown cipher {cipher}")
        if version == "v1":
            return self._key(key_id).derive(cipher)[: _KEY_BYTES[cipher]]
        if version != "v2":
            raise ValueError("unknown ciphertext version")
        digest = "sm3" if cipher == "sm4-gcm" else "sha256"
        return self._key(key_id).derive(f"{cipher}:{use}", digest)[: _KEY_BYTES[cipher]]

    def _head(self, data_key: bytes, cipher: str, context: str) -> bytes:
        prefix = self.prefix.encode()
        wrapping = self._subkey("v2", cipher, self.key_id, "media")
        wrapped = _seal(cipher, wrapping, data_key, b"data-key:" + context.encode())
        return self.MAGIC + bytes([len(prefix)]) + prefix + bytes([len(wrapped)]) + wrapped

    def _unwrapped(self, sealed: bytes, context: str) -> tuple[bytes, str, bytes]:
        try:
            version, cipher, key_id, _end = self.wrapped_by(sealed).split(":")
            start = 5 + sealed[4]
            end = start + 1 + sealed[start]
        except (ValueError, IndexError):
            raise ValueError("the file's head is broken") from None
        wrapping = self._subkey(version, cipher, key_id, "media")
        data_key = _open(cipher, wrapping, sealed[start + 1 : end], b"data-key:" + context.encode())
        return data_key, cipher, sealed[end:]


def _seal(cipher: str, key: bytes, plain: bytes, context: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    if cipher == "aes-gcm":
        return nonce + AESGCM(key).encrypt(nonce, plain, context)
    encryptor = Cipher(SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(context)
    return nonce + encryptor.update(plain) + encryptor.finalize() + encryptor.tag


def _open(cipher: str, key: bytes, blob: bytes, context: bytes) -> bytes:
    if len(blob) < NONCE + TAG:
        raise ValueError("the ciphertext is too short")
    nonce, body = blob[:NONCE], blob[NONCE:]
    try:
        if cipher == "aes-gcm":
            return AESGCM(key).decrypt(nonce, body, context)
        decryptor = Cipher(SM4(key), modes.GCM(nonce, body[-TAG:])).decryptor()
        decryptor.authenticate_additional_data(context)
        return decryptor.update(body[:-TAG]) + decryptor.finalize()
    except InvalidTag:
        raise ValueError("the secret was changed or belongs to another row") from None


_known: tuple[tuple[str, int, int, str], LocalProvider] | None = None


def provider() -> LocalProvider:
    """The configured provider (VANTAGE_KEY_FILE, VANTAGE_CRYPTO_PROFILE); a changed key file is read again."""
    global _known
    key_file, profile = settings.VANTAGE_KEY_FILE, settings.VANTAGE_CRYPTO_PROFILE
    try:
        facts = os.stat(key_file)
        mark = (str(Path(key_file)), facts.st_mtime_ns, facts.st_ino, profile)
    except OSError:
        mark = ("", 0, 0, profile)
    if _known is None or _known[0] != mark:
        _known = (mark, LocalProvider(key_file, profile))
    return _known[1]
