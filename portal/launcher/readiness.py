"""Is the web up, and has something happened? Asked from outside, as a user would."""

import http.client
import time
from collections.abc import Callable


def answers_ok(port: int, path: str = "/healthz", host: str = "127.0.0.1", timeout: float = 2.0) -> bool:
    """True where GET answers 200."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_for(
    condition: Callable[[], bool], seconds: float, pause: Callable[[float], bool], step: float = 0.2
) -> bool:
    """Ask until it is true (True), the time is over, or `pause(step)` says stop (False)."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or pause(step):
            return False
    return True
