"""A new key without downtime: new writes take it, old ones open, the rest follows in steps, the old key is retired."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.accounts.models import Grant, User
from apps.core import audit, clock, rotation
from apps.core.crypto import provider
from apps.devices.models import Camera, Capture, Stream
from apps.devices.services import storage
from apps.devices.services.captures import NewCapture, record_captures, set_cover
from apps.devices.services.storage import store
from apps.devices.services.storage.renewing import CoverHolder
from tests.support import factories

pytestmark = pytest.mark.django_db
JPEG = b"\xff\xd8\xff" + b"picture" * 500


@pytest.fixture(autouse=True)
def _site(settings: Any, tmp_path: Path) -> None:
    """A key file and a media folder of its own, in the profile guomi."""
    keys = tmp_path / "keys"
    call_command("make_key", str(keys), id="site-1", stdout=StringIO())
    settings.VANTAGE_KEY_FILE = str(keys)
    settings.VANTAGE_CRYPTO_PROFILE = "guomi"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VANTAGE_AUDIT_CHECKPOINTS = str(tmp_path / "checkpoints")
    CoverHolder._clean_for = ""
    with connection.cursor() as cursor:  # another key's chain
        cursor.execute("ALTER TABLE core_auditrecord DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM core_auditrecord")


def _raw(table: str, column: str, pk: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [pk])
        return str(cursor.fetchone()[0])


def _rotate(verb: str, name: str = "") -> str:
    out = StringIO()
    call_command("rotate_key", verb, *(["--id", name] if name else []), stdout=out)
    return out.getvalue()


def _things(tmp_path: Path) -> tuple[User, Stream, Capture, Camera, Grant]:
    user = factories.user(phone="13800000000", email="a@b.cn")
    camera = factories.camera(address="rtsp://10.0.0.1/x")
    stream = camera.streams.get()
    stream.credentials = provider().encrypt('{"user": "u"}', context=f"devices.stream:{stream.pk}")
    stream.save()
    frame = tmp_path / "frame.jpg"
    frame.write_bytes(JPEG)
    record_captures([NewCapture(camera.pk, 0, clock.now(), str(frame), 10, 10)])
    set_cover(camera.pk, frame, clock.now())
    camera.refresh_from_db()
    grant = factories.grant_access(camera, factories.organisation(), ("live",)).grant
    return user, stream, Capture.objects.get(), camera, grant


def test_everything_at_rest_is_sm4(tmp_path: Path) -> None:
    user, stream, capture, camera, grant = _things(tmp_path)
    for text in (
        _raw("accounts_user", "phone", user.pk),
        _raw("accounts_user", "email", user.pk),
        _raw("devices_stream", "credentials", stream.pk),
    ):
        assert text.startswith("v2:sm4-gcm:site-1:")
        assert "138" not in text[:40]
    assert User.objects.get(pk=user.pk).phone == "13800000000"
    for path in (capture.path, camera.cover):
        assert b"picture" not in store.read_raw(path)
        assert storage.read(path) == JPEG
    assert grant.mac.startswith("site-1/sm3:")
    assert audit.record(None, "test.act").key_id == "site-1/sm3"
    assert rotation.remaining() == dict.fromkeys(rotation.remaining(), 0)


def test_a_file_moved_or_changed_on_disk_is_gone(tmp_path: Path) -> None:
    *_rest, capture, camera, _grant = _things(tmp_path)
    (tmp_path / "media" / camera.cover).write_bytes(store.read_raw(capture.path))
    with pytest.raises(FileNotFoundError):
        storage.read(camera.cover)


def test_plain_pictures_of_before_are_read_and_then_encrypted(tmp_path: Path, settings: Any) -> None:
    settings.VANTAGE_CRYPTO_PROFILE = "default"
    user, stream, capture, camera, _grant = _things(tmp_path)
    assert store.read_raw(capture.path) == JPEG
    settings.VANTAGE_CRYPTO_PROFILE = "guomi"
    assert storage.read(capture.path) == JPEG
    assert User.objects.get(pk=user.pk).phone == "13800000000"
    assert rotation.remaining()["devices.captures"] == 1
    while rotation.reseal():
        pass
    assert sum(rotation.remaining().values()) == 0
    assert b"picture" not in store.read_raw(capture.path)
    assert storage.read(capture.path) == storage.read(camera.cover) == JPEG


def test_rotation_goes_on_while_everything_reads_and_writes(tmp_path: Path) -> None:
    user, stream, capture, camera, grant = _things(tmp_path)
    before = audit.record(None, "test.act")
    _rotate("begin", "site-2")
    assert provider().key_id == "site-1", "known to all before it is used"
    _rotate("use", "site-2")
    assert provider().key_id == "site-2"
    # before anything was rewritten: old readable, new written with the new key
    assert User.objects.get(pk=user.pk).phone == "13800000000"
    assert storage.read(capture.path) == JPEG
    assert Grant.objects.get(pk=grant.pk).is_intact
    newer = factories.user(phone="13900000000")
    assert _raw("accounts_user", "phone", newer.pk).startswith("v2:sm4-gcm:site-2:")
    with pytest.raises(CommandError, match="still under an old key"):
        _rotate("retire", "site-1")
    with pytest.raises(CommandError, match="in use"):
        _rotate("retire", "site-2")
    shown = _rotate("run")
    assert "0 old" in shown
    assert sum(rotation.remaining().values()) == 0
    _rotate("retire", "site-1")
    # nothing needs the old key any more, and it opens nothing
    assert User.objects.get(pk=user.pk).phone == "13800000000"
    assert provider().decrypt(
        Stream.objects.get(pk=stream.pk).credentials, context=f"devices.stream:{stream.pk}"
    )
    assert storage.read(capture.path) == storage.read(camera.cover) == JPEG
    assert Grant.objects.get(pk=grant.pk).is_intact
    assert before.key_id == "site-1/sm3"
    assert audit.verify().broken_seq is None, "records of the retired key still verify"
    assert "site-1: retired" in _rotate("status")


def test_a_cell_that_cannot_be_opened_stays_old_and_holds_nothing_else_up(tmp_path: Path) -> None:
    broken, *_rest = _things(tmp_path)
    other = factories.user(phone="13900000000")
    sealed = _raw("accounts_user", "phone", broken.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_user SET phone = %s WHERE id = %s", [sealed[:-8] + "AAAAAAA=", broken.pk]
        )
    _rotate("begin", "site-2")
    _rotate("use", "site-2")
    _rotate("run")
    left = {name: count for name, count in rotation.remaining().items() if count}
    assert set(left) <= {"accounts.phone", "accounts.email"}
    assert left["accounts.phone"] == 1
    assert _raw("accounts_user", "phone", other.pk).startswith("v2:sm4-gcm:site-2:")
    with pytest.raises(CommandError, match="still under an old key"):
        _rotate("retire", "site-1")


def test_a_cover_that_cannot_be_opened_holds_no_rotation_up(tmp_path: Path) -> None:
    *_rest, camera, _grant = _things(tmp_path)
    file = tmp_path / "media" / camera.cover
    data = bytearray(file.read_bytes())
    data[40] ^= 1  # inside the wrapped data key
    file.write_bytes(data)
    _rotate("begin", "site-2")
    _rotate("use", "site-2")
    _rotate("run")
    assert sum(rotation.remaining().values()) == 0
    camera.refresh_from_db()
    assert (camera.cover, camera.cover_at) == ("", None)
    assert "is retired" in _rotate("retire", "site-1")


def test_a_forged_row_stays_forged_through_a_rotation(tmp_path: Path) -> None:
    *_rest, grant = _things(tmp_path)
    Grant.objects.filter(pk=grant.pk).update(actions=["live", "unmasked"])
    _rotate("begin", "site-2")
    _rotate("use", "site-2")
    _rotate("run")
    assert not Grant.objects.get(pk=grant.pk).is_intact


def test_signing_secrets_and_second_factors_follow(settings: Any) -> None:
    from apps.accounts.models import SecondFactor
    from apps.accounts.services.factors import begin_enrolment
    from apps.openapi.models import Subscription
    from apps.openapi.services.secrets import open_secrets
    from tests.openapi import builders

    settings.VANTAGE_OUTBOUND_EXACT = ["127.0.0.1:9"]
    app = builders.app(factories.organisation())
    subscription = builders.subscription(app, "http://127.0.0.1:9/hook").subscription
    texts = open_secrets(subscription)
    user = factories.user()
    secret = begin_enrolment(user=user)
    _rotate("begin", "site-2")
    _rotate("use", "site-2")
    assert rotation.remaining()["openapi.secrets"] == rotation.remaining()["accounts.second_factor"] == 1
    _rotate("run")
    _rotate("retire", "site-1")
    fresh = Subscription.objects.get(pk=subscription.pk)
    assert open_secrets(fresh) == texts
    assert ":site-1:" not in str(fresh.secrets)
    assert SecondFactor.objects.get().secret.startswith("v2:sm4-gcm:site-2:")
    assert begin_enrolment(user=user) == secret


def test_a_text_that_cannot_be_read_leaves_its_row_usable_and_is_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    user = factories.user(phone="13800000000", email="a@b.cn")
    sealed = _raw("accounts_user", "phone", user.pk)
    broken = sealed[:-4] + ("AAA=" if not sealed.endswith("AAA=") else "BBB=")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET phone = %s WHERE id = %s", [broken, user.pk])

    found = User.objects.get(pk=user.pk)

    assert (found.phone, found.email) == ("", "a@b.cn")
    assert "accounts_user.phone cannot be decrypted" in caplog.text
    assert "13800000000" not in caplog.text
    found.save()
    assert _raw("accounts_user", "phone", user.pk) == broken
