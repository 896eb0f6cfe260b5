"""The ASGI application: pages and API by Django, sockets by Channels behind an origin check and a login."""

import gc
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.dev")
http = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from apps.accounts.middleware import PrincipalSocketMiddleware  # noqa: E402
from portal.routing import websocket_urlpatterns  # noqa: E402


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """The server's own start and end (ASGI lifespan)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            settle()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def settle() -> None:
    """Nobody hears anything during a full collection: 0.2 s with a thousand open pages, every 15 s.

    What is imported stays and is not walked through again, and cycles, which are few, are looked for less often than
    after 700 new objects.
    """
    get_resolver().url_patterns  # noqa: B018  # imports all views, which the first request would wait for
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


application = ProtocolTypeRouter(
    {
        "lifespan": lifespan,
        "http": http,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(PrincipalSocketMiddleware(URLRouter(websocket_urlpatterns)))
        ),
    }
)
