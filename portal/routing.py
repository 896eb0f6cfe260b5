"""Every room's sockets under /ws."""

from importlib.util import find_spec

from django.urls import path

from apps.core.realtime.consumer import LiveConsumer

websocket_urlpatterns = [path("ws/live", LiveConsumer.as_asgi())]
for _room in ("devices",):
    if find_spec(f"apps.{_room}.routing"):
        websocket_urlpatterns += __import__(f"apps.{_room}.routing", fromlist=["x"]).websocket_urlpatterns
