"""The deployment's outbound policy, from settings; the platform's own ports are never reachable."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.outbound.policy import OutboundPolicy, OutboundRefused
from workers.vision.errors import SourceError, SourceFault


@lru_cache(maxsize=4)
def _own_services(database: str, broker: str, public: str) -> frozenset[tuple[str, int]]:
    ports = {int(database), urlsplit(broker).port or 6379, urlsplit(public).port or 80}
    return frozenset((address, port) for address in ("127.0.0.1", "::1") for port in ports)


def configured_policy() -> OutboundPolicy:
    """The policy of VANTAGE_OUTBOUND_ALLOW and VANTAGE_OUTBOUND_EXACT as they are now; parsed anew when they change."""
    port = str(settings.DATABASES["default"].get("PORT") or 5432)
    return _built(
        tuple(settings.VANTAGE_OUTBOUND_ALLOW),
        tuple(settings.VANTAGE_OUTBOUND_EXACT),
        _own_services(port, settings.REDIS_URL, settings.VANTAGE_PUBLIC_URL),
    )


@lru_cache(maxsize=4)
def _built(
    allow: tuple[str, ...], exact: tuple[str, ...], own_services: frozenset[tuple[str, int]]
) -> OutboundPolicy:
    return OutboundPolicy.build(allow=allow, exact=exact, own_services=own_services)


class CameraPolicy:
    """The same policy in the shape `workers.vision.sources` asks for."""

    def __init__(self, policy: OutboundPolicy) -> None:
        self._policy = policy

    def vet(self, host: str, port: int) -> str:
        """The vetted IP literal; raises SourceError whose detail (not its message) holds the policy's reason."""
        try:
            return self._policy.vet(host, port)
        except OutboundRefused as error:
            raise SourceError(
                SourceFault.REFUSED, "The address is not reachable or not permitted.", detail=error.reason
            ) from None


def camera_policy() -> CameraPolicy:
    """The policy for opening cameras."""
    return CameraPolicy(configured_policy())
