"""S20: a media link works for its holder, for its time, while the right lasts; every kind of picture is walked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core import signing
from django.urls import reverse

from apps.accounts.permissions import SYSTEM
from apps.accounts.services import revoke_grant
from apps.devices.models import CameraAccess, Capture
from apps.devices.registry import media_kinds
from apps.devices.services.media import SALT, VARIANTS, media_url
from tests.attacks import world as worlds
from tests.attacks.world import World

pytestmark = pytest.mark.django_db
#: The object of each registered kind of picture; a new kind fails the first test until it stands here.
KINDS = {"capture": "capture", "cover": "camera", "event": "event", "occurrence": "occurrence"}


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> Iterator[World]:
    settings.VANTAGE_OUTBOUND_EXACT = [worlds.ENDPOINT]
    settings.MEDIA_ROOT = tmp_path
    return worlds.build()


def link(world: World, kind: str, who: str, **fields: Any) -> str:
    return media_url(kind, getattr(world, KINDS[kind]).pk, world.principal(who), **fields)


def status(world: World, who: str, url: str) -> int:
    return int(world.client(who).get(url).status_code)


def test_s20_every_kind_of_picture_is_walked() -> None:
    assert {name for name, _ in media_kinds.items()} == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_s20_a_link_is_bound_to_its_holder_and_asks_the_right(kind: str, world: World) -> None:
    granted = link(world, kind, "granted")
    for variant in sorted(VARIANTS):
        assert status(world, "granted", link(world, kind, "granted", variant=variant)) == 200, variant
    assert status(world, "manager", link(world, kind, "manager")) == 200
    for who in ("nobody", "other", "expired", "manager"):
        assert status(world, who, granted) == 404, who
    for who in ("other", "expired"):  # a link made for them gives no right
        assert status(world, who, link(world, kind, who)) == 404, who


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_s20_a_link_ends_with_the_right(kind: str, world: World) -> None:
    url = link(world, kind, "granted")
    grant = CameraAccess.objects.filter(principal_id=world.users["granted"].organisation_id).first().grant
    revoke_grant(by=SYSTEM, grant=grant, reason="test")
    assert status(world, "granted", url) == 404


def test_s20_a_link_ends_with_its_time(world: World) -> None:
    assert status(world, "manager", link(world, "capture", "manager", seconds=-1)) == 404


def test_s20_a_link_does_not_outlive_the_picture(world: World) -> None:
    url = link(world, "capture", "manager")
    Capture.objects.filter(pk=world.capture.pk).update(deleted_at=world.capture.time)
    assert status(world, "manager", url) == 404


def test_s20_a_changed_or_foreign_signature_opens_nothing(world: World) -> None:
    token = link(world, "capture", "manager").rpartition("/")[2]
    content = ["capture", str(world.capture.pk), "frame", 0, "user", str(world.users["manager"].pk), 2**40]
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "A" + token[1:],
        token.rpartition(":")[0],
        signing.dumps(content),  # another salt
        signing.dumps(content, salt=SALT, key="guessed" * 10),
        "x",
    ]
    for one in forged:
        assert status(world, "manager", reverse("devices:media", args=[one])) == 404, one


@pytest.mark.parametrize(
    "content",
    [
        ["capture", "ID", "frame", 0, "system", "ID", 2**40],
        ["capture", "ID", "frame", 0, "subscription", "ID", 2**40],
        ["capture", "ID", "original", 0, "user", "USER", 2**40],
        ["passwd", "ID", "frame", 0, "user", "USER", 2**40],
    ],
)
def test_s20_only_known_holders_kinds_and_variants(content: list[Any], world: World) -> None:
    known = {"ID": str(world.capture.pk), "USER": str(world.users["manager"].pk)}
    token = signing.dumps([known.get(part, part) for part in content], salt=SALT)
    assert status(world, "manager", reverse("devices:media", args=[token])) == 404


def test_s20_the_link_of_a_subscription_ends_with_it(world: World) -> None:
    def url(holder: UUID) -> str:
        return media_url("event", world.event.pk, holder=("subscription", holder))

    assert status(world, "nobody", url(world.subscription.pk)) == 200
    assert status(world, "nobody", url(uuid4())) == 404
    world.subscription.state = "disabled"
    world.subscription.save()
    assert status(world, "nobody", url(world.subscription.pk)) == 404


def test_s20_pictures_leave_with_headers_that_disarm_them(world: World) -> None:
    answer = world.client("granted").get(link(world, "event", "granted", variant="annotated"))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Vantage-Rendition"] == "pixelated-by-detections"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    assert time.time() < 2**40


def test_s20_no_public_folder_serves_media(world: World) -> None:
    for path in (f"/media/{world.capture.path}", f"/static/{world.capture.path}", f"/{world.capture.path}"):
        assert status(world, "manager", path) == 404
