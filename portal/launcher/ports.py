"""Loopback ports: a free one, and whether one is taken."""

import errno
import socket

from portal.launcher.errors import LauncherError


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True where a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
                return False
            raise
    return True


def free_port(preferred: int | None = None) -> int:
    """The preferred port where it is free, else one that the kernel picks."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int, host: str = "127.0.0.1") -> None:
    """Raise LauncherError where the port is taken."""
    if not is_free(port, host):
        raise LauncherError(
            f"port {port} on {host} is taken by another program; stop it, or choose: --port {port + 1}"
        )
