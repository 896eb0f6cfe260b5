"""Address policies for tests: exact loopback ports, nothing else."""

from __future__ import annotations

from workers.vision.errors import SourceError, SourceFault


class LoopbackOnly:
    """Permits 127.0.0.1 (also as localhost) on the named ports, as a site's exact exception would."""

    def __init__(self, *ports: int) -> None:
        self.ports = set(ports)
        self.asked: list[tuple[str, int]] = []

    def vet(self, host: str, port: int) -> str:
        self.asked.append((host, port))
        if host in ("127.0.0.1", "localhost", "camera.test") and port in self.ports:
            return "127.0.0.1"
        raise SourceError(SourceFault.REFUSED, "The address is not reachable or not permitted.")
