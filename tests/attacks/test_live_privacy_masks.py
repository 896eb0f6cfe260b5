"""Privacy masks hold for live pictures too: no unmasked stream without the right to it, whoever manages the camera."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.conf import settings as settings_now
from django.test import Client

from apps.analysis.models import Scene
from apps.core import clock, outbox
from apps.core.models import AuditRecord
from apps.devices.services import set_cover
from tests.attacks.sockets import Socket, session_of
from tests.attacks.test_s17_right_ends_while_open import holder, watch
from tests.support import factories

pytestmark = [pytest.mark.django_db(transaction=True)]
MASK = {
    "type": "Polygon",
    "space": "image-norm",
    "preset": 0,
    "coordinates": [[[0, 0], [0.5, 0], [0.5, 1], [0, 1], [0, 0]]],
}


@pytest.fixture
def sock(settings: Any, tmp_path: Path) -> Path:
    settings.VANTAGE_LIVE_SOCKET = str(tmp_path / "live.sock")
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "live.sock"


def session_for(user: Any, *, purpose: bool = True) -> str:
    """A session in which the person said why they look."""
    cookie = session_of(user)
    if purpose:
        store = import_module(settings_now.SESSION_ENGINE).SessionStore(cookie)
        store["purpose"] = {"purpose": "fault"}
        store.save()
    return cookie


def refusals() -> list[dict[str, Any]]:
    """What the ledger says of refused live pictures."""
    outbox.relay_once()
    rows = AuditRecord.objects.filter(action="camera.live", outcome="refused")
    return list(rows.values_list("detail", flat=True))


def masked_camera(**fields: Any) -> Any:
    camera = factories.camera(address="rtsp://10.1.2.3/live", **fields)
    Scene.objects.create(camera=camera, preset=0, privacy_masks=[MASK])
    return camera


def opens(camera: Any, cookie: str, sock: Path) -> bool:
    async def scenario() -> bool:
        async with holder(sock):
            connection = Socket(f"/ws/devices/{camera.pk}/live", cookie)
            accepted = await connection.connect()
            if accepted:
                await connection.receive()
            await connection.disconnect()
            return bool(accepted)

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("actions", "streams"),
    [((), False), (("live",), False), (("unmasked",), False), (("live", "unmasked"), True)],
)
def test_only_a_grant_of_the_unmasked_view_opens_the_stream(
    actions: tuple[str, ...], streams: bool, sock: Path
) -> None:
    camera, user = masked_camera(), factories.user()
    if actions:
        factories.grant_access(camera, user.organisation, actions)
    assert opens(camera, session_for(user), sock) is streams
    assert bool(refusals()) is not streams


def test_the_unmasked_stream_asks_for_a_purpose(sock: Path) -> None:
    camera, user = masked_camera(), factories.user()
    factories.grant_access(camera, user.organisation, ("live", "unmasked"))
    assert not opens(camera, session_for(user, purpose=False), sock)
    assert refusals() == [{"reason": "purpose"}]


def test_managing_the_camera_is_not_enough(sock: Path) -> None:
    camera = masked_camera()
    user = factories.user(camera.managing_organisation)
    assert not opens(camera, session_for(user), sock)
    assert refusals() == [{"reason": "privacy_masks"}]
    Scene.objects.update(privacy_masks=[])
    assert opens(camera, session_of(user), sock)


def test_drawing_a_mask_closes_the_players_that_are_open(sock: Path) -> None:
    camera = factories.camera(address="rtsp://10.1.2.3/live")
    scene = Scene.objects.create(camera=camera, preset=0)
    user = factories.user(camera.managing_organisation)

    def draw() -> None:
        scene.privacy_masks = [MASK]
        scene.save()

    assert watch(camera, session_of(user), draw, sock) == (4403, True)


def test_the_end_of_the_unmasked_grant_closes_the_player(sock: Path) -> None:
    camera, user = masked_camera(), factories.user()
    factories.grant_access(camera, user.organisation, ("live", "unmasked"))
    ended = lambda: camera.access.filter(action="unmasked").update(valid_to=clock.now())  # noqa: E731
    assert watch(camera, session_for(user), ended, sock) == (4403, True)


@pytest.mark.parametrize("unmasked", [False, True])
def test_the_page_offers_masked_pictures_and_says_why(unmasked: bool, sock: Path) -> None:
    camera, user = masked_camera(), factories.user()
    factories.grant_access(camera, user.organisation, ("live", "unmasked") if unmasked else ("live",))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    page = client.get(f"/devices/cameras/{camera.pk}/").content.decode()
    assert f"/ws/devices/{camera.pk}/live" not in page
    assert ("State a purpose" in page) is unmasked
    client.cookies["sessionid"] = session_for(user)
    page = client.get(f"/devices/cameras/{camera.pk}/").content.decode()
    assert (f"/ws/devices/{camera.pk}/live" in page) is unmasked
    assert ("This camera has privacy masks" in page) is not unmasked
    assert f"/devices/cameras/{camera.pk}/snapshot.jpg" in page


def test_a_cover_older_than_its_mask_is_painted_when_it_is_shown(sock: Path, tmp_path: Path) -> None:
    camera = factories.camera(address="rtsp://10.1.2.3/live")
    noise = np.random.default_rng(0).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "cover.jpg"), noise)
    set_cover(camera.pk, tmp_path / "cover.jpg", clock.now())
    Scene.objects.create(camera=camera, preset=0, privacy_masks=[MASK])
    client = Client()
    client.force_login(factories.user(camera.managing_organisation))
    for variant in ("frame", "thumb"):  # no holder runs here: the cover is what there is
        answer = client.get(f"/devices/cameras/{camera.pk}/snapshot.jpg?variant={variant}")
        image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        middle = image[image.shape[0] // 3 : image.shape[0] // 2]
        assert middle[:, : image.shape[1] // 2 - 4].std() < 15 < middle[:, image.shape[1] // 2 + 4 :].std()
