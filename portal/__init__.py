"""Composition: settings, URLs, ASGI, Celery, the launcher. Nothing imports it."""
