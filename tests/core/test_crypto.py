import pytest

from apps.core.crypto import LocalProvider


@pytest.fixture
def key_file(tmp_path):
    import base64

    path = tmp_path / "keys"
    path.write_text(f"a:{base64.b64encode(b'1' * 32).decode()}\nb:{base64.b64encode(b'2' * 32).decode()}\n")
    return path


@pytest.mark.parametrize("cipher", ["aes-gcm", "sm4-gcm"])
def test_round_trip_is_bound_to_its_row(key_file, cipher):
    provider = LocalProvider(str(key_file), cipher)
    sealed = provider.encrypt("密码 secret", context="stream:1")
    assert "secret" not in sealed
    assert provider.decrypt(sealed, context="stream:1") == "密码 secret"
    with pytest.raises(ValueError):
        provider.decrypt(sealed, context="stream:2")


def test_a_rotated_key_still_opens_old_secrets(key_file):
    old = LocalProvider(str(key_file))
    sealed = old.encrypt("x", context="c")
    lines = key_file.read_text().splitlines()
    key_file.write_text("\n".join(reversed(lines)))
    fresh = LocalProvider(str(key_file))
    assert fresh.key_id == "b"
    assert fresh.decrypt(sealed, context="c") == "x"
