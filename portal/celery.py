"""The Celery application; tasks carry ids only."""

import os

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.dev")
app = Celery("vantage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.celeryd_after_setup.connect(weak=False)
def serve_own_queues(sender=None, instance=None, **_signal) -> None:  # type: ignore[no-untyped-def]
    """A worker also serves the queue of its own probes, and that of its node's frames where it analyses."""
    from workers.process import queues

    queues.select_own(instance.app, sender)


@signals.worker_ready.connect(weak=False)
def watch(sender=None, **signal) -> None:  # type: ignore[no-untyped-def]
    """Watch whether the worker is fed."""
    from workers.process import watchdog

    watchdog.begin(sender)


@signals.task_prerun.connect(weak=False)
def look_after_connections(sender=None, **signal) -> None:  # type: ignore[no-untyped-def]
    """As at the beginning of a request: one that is old or broke is closed, the others are asked once if they live."""
    if not sender.request.is_eager:
        from django.db import close_old_connections

        close_old_connections()


@signals.task_received.connect(weak=False)
def note_taken(**signal) -> None:  # type: ignore[no-untyped-def]
    """Something was taken."""
    from workers.process import watchdog

    watchdog.note()


@signals.worker_shutting_down.connect(weak=False)
def drain(**signal) -> None:  # type: ignore[no-untyped-def]
    """End within seconds; what cannot goes back."""
    from workers.process import drain as draining
    from workers.process import watchdog

    watchdog.end()
    draining.start()
