"""Telling people: a message in each one's notifications, and the number of unread ones on their open pages."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count

from apps.accounts.models import Notification, User
from apps.core.realtime.push import push

MOST_TOLD = 50


@transaction.atomic
def notify(users: Iterable[User], *, kind: str, title: str, body: str, link: str = "") -> int:
    """Tell these people; returns how many. The words are stored: Chinese first, whoever's request caused them."""
    made = Notification.objects.bulk_create(
        Notification(user=user, kind=kind, title=title[:200], body=body[:500], link=link) for user in users
    )
    rows = Notification.objects.filter(user__in=[row.user_id for row in made], read_at__isnull=True)
    unread = dict(rows.order_by().values_list("user").annotate(Count("pk")))
    for row in made:
        summary = {"unread": unread[row.user_id], "title": row.title}
        push("notifications", row.pk, summary, [f"u:{row.user_id}"])
    return len(made)


def notify_roles(roles: Iterable[str], *, kind: str, title: str, body: str, link: str = "") -> int:
    """The same for active holders of one of the roles, at most MOST_TOLD of them."""
    holders = User.objects.filter(is_active=True, role_bindings__role__in=list(roles)).distinct()
    return notify(holders[:MOST_TOLD], kind=kind, title=title, body=body, link=link)
