"""Composition: settings, URLs, ASGI, Celery, the launcher. Nothing imports it."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
