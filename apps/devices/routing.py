"""Sockets of the devices room."""

from django.urls import path

from apps.devices.consumers import LiveVideoConsumer

websocket_urlpatterns = [path("ws/devices/<uuid:camera_id>/live", LiveVideoConsumer.as_asgi())]
