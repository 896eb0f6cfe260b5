"""S04: every way to write an inner address, with every port of the platform's own services and of a machine's."""

from __future__ import annotations

import itertools

import pytest
from django.conf import settings

from apps.core.outbound.settings import camera_policy
from tests.attacks.test_s05_webhook_addresses import VECTORS
from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources import open_source

PORTS = (
    22,
    25,
    53,
    80,
    443,
    554,
    1935,
    2375,
    3306,
    5432,
    6379,
    6443,
    8000,
    8080,
    9000,
    9200,
    10250,
    11211,
    27017,
)


@pytest.mark.parametrize("host", VECTORS)
def test_s04_no_port_of_an_inner_address_is_open(host: str, outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:1")  # the demo's own list is in force
    own = settings.DATABASES["default"].get("PORT") or 5432
    for port, scheme in itertools.product((*PORTS, int(own)), ("rtsp", "rtmp", "http", "https")):
        with pytest.raises(SourceError) as caught:
            open_source(f"{scheme}://{host}:{port}/x", policy=camera_policy())
        assert caught.value.fault in {
            SourceFault.REFUSED,
            SourceFault.INVALID_URL,
            SourceFault.UNSUPPORTED_SCHEME,
        }
