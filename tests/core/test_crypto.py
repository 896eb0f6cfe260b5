import base64

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.core.crypto import LocalProvider
from apps.core.crypto.keys import hmac_sm3, read_keys, write_keys
from apps.core.crypto.provider import _open, _seal

PROFILES = ("default", "guomi")


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"a:{base64.b64encode(b'1' * 32).decode()}\nb:{base64.b64encode(b'2' * 32).decode()}\n")
    return path


@pytest.mark.parametrize("profile", PROFILES)
def test_round_trip_is_bound_to_its_row(key_file, profile):
    provider = LocalProvider(str(key_file), profile)
    sealed = provider.encrypt("密码 secret", context="stream:1")
    assert "secret" not in sealed
    assert sealed.startswith(provider.prefix)
    assert provider.decrypt(sealed, context="stream:1") == "密码 secret"
    with pytest.raises(ValueError):
        provider.decrypt(sealed, context="stream:2")


@pytest.mark.parametrize(
    "sealed",
    [
        # made by the first release with the keys of `key_file`
        "v1:aes-gcm:a:AAAAAAAAAAAAAAAA",
    ],
)
def test_a_broken_ciphertext_is_a_value_error(key_file, sealed):
    with pytest.raises(ValueError):
        LocalProvider(str(key_file)).decrypt(sealed, context="c")


def test_secrets_of_the_first_version_still_open(key_file):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from apps.core.crypto.keys import hmac_sha256

    nonce = b"n" * 12
    body = AESGCM(hmac_sha256(b"1" * 32, b"vantage:aes-gcm")).encrypt(nonce, b"x", b"c")
    sealed = f"v1:aes-gcm:a:{base64.b64encode(nonce + body).decode()}"
    assert LocalProvider(str(key_file), "guomi").decrypt(sealed, context="c") == "x"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_rotated_key_still_opens_old_secrets(key_file, profile):
    old = LocalProvider(str(key_file), profile)
    sealed = old.encrypt("x", context="c")
    write_keys(str(key_file), list(reversed(read_keys(str(key_file)).values())))
    fresh = LocalProvider(str(key_file), profile)
    assert fresh.key_id == "b"
    assert fresh.decrypt(sealed, context="c") == "x"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_a_file_is_bound_to_its_path_and_rewrapped_without_decrypting(key_file, profile, size):
    old = LocalProvider(str(key_file), profile)
    data = b"\xff\xd8" + b"p" * size
    sealed = old.wrap(data, context="frames/1.jpg")
    assert old.wrapped_by(sealed) == f"v2:{old.profile.cipher}:a:"
    assert old.wrapped_by(data) == ""
    write_keys(str(key_file), list(reversed(read_keys(str(key_file)).values())))
    fresh = LocalProvider(str(key_file), profile)
    again = fresh.rewrap(sealed, context="frames/1.jpg")
    assert again[-len(data) - 16 :] == sealed[-len(data) - 16 :]
    assert fresh.wrapped_by(again).endswith(":b:")
    assert fresh.unwrap(again, context="frames/1.jpg") == data
    for broken in (again[:-1], again[:20], again[:-1] + bytes([again[-1] ^ 1])):
        with pytest.raises(ValueError):
            fresh.unwrap(broken, context="frames/1.jpg")
    with pytest.raises(ValueError):
        fresh.unwrap(again, context="frames/2.jpg")


def test_a_retired_key_verifies_the_audit_and_nothing_else(key_file):
    both = LocalProvider(str(key_file), "guomi")
    sealed, mac_id = both.encrypt("x", context="c"), both.mac_id
    macs = [both.mac(b"row", purpose="audit", key_id=key) for key in ("a", "a/sm3")]
    keys = read_keys(str(key_file))
    write_keys(str(key_file), [keys["b"], keys["a"].retired()])
    fresh = LocalProvider(str(key_file), "guomi")
    assert (fresh.key_id, mac_id) == ("b", "a/sm3")
    assert [fresh.mac(b"row", purpose="audit", key_id=key) for key in ("a", "a/sm3")] == macs
    for refused in (
        lambda: fresh.decrypt(sealed, context="c"),
        lambda: fresh.mac(b"row", purpose="grant", key_id="a"),
    ):
        with pytest.raises(ValueError, match="retired"):
            refused()


def test_hmac_sm3_answers_the_published_example():
    """GM/T 0042-2015 appendix D.3: HMAC-SM3 of the 112-byte text under the 32-byte key."""
    key = bytes(range(1, 33))
    text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2
    assert hmac_sm3(key, text).hex() == "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"


def test_sm4_gcm_answers_the_published_example(monkeypatch):
    """RFC 8998 appendix A.1, through the two doors that seal and open."""
    nonce, key = bytes.fromhex("00001234567800000000abcd"), bytes.fromhex("0123456789abcdeffedcba9876543210")
    context = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = b"".join(bytes([value]) * 8 for value in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    monkeypatch.setattr("os.urandom", lambda size: nonce[:size])
    assert _seal("sm4-gcm", key, plain, context) == nonce + sealed
    assert _open("sm4-gcm", key, nonce + sealed, context) == plain


@pytest.mark.parametrize("text", ["", "a:!!", "a:aaaa", "a:audit:aaaa"])
def test_a_broken_key_file_is_refused(tmp_path, text):
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ImproperlyConfigured):
        LocalProvider(str(path))
