"""Recurring work of the accounts room."""

from celery import shared_task

from apps.accounts.models.session import SessionStore


@shared_task(queue="default", name="accounts.clear_sessions")
def clear_sessions() -> None:
    """Delete the rows of sessions that are over."""
    SessionStore.clear_expired()
