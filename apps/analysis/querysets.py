"""Who sees tasks, scenes and what they yield."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.core.visibility import VisibleQuerySet
from apps.devices.querysets import managed_q, reach_q


class TaskQuerySet(VisibleQuerySet[Any]):
    """A task belongs to the organisation it works for; those above it see it too."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q(organisation__path__startswith=principal.organisation_path)


class UnitQuerySet(VisibleQuerySet[Any]):
    """A unit is seen with its task, and by the organisation that manages the camera it looks at."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q(task__organisation__path__startswith=principal.organisation_path) | managed_q(
            principal, "camera__"
        )


class SceneQuerySet(VisibleQuerySet[Any]):
    """Scenes: who may analyse a camera reads its scenes; only managers change the camera's own."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        if action == "change":
            return managed_q(principal, "camera__")
        return reach_q(principal, "analyse", at)


class SceneRuleQuerySet(VisibleQuerySet[Any]):
    """A rule belongs to its owner; the managing organisation reads all rules on its cameras."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        own = Q(owner__path__startswith=principal.organisation_path)
        return own if action == "change" else own | managed_q(principal, "scene__camera__")


class ExecutionQuerySet(VisibleQuerySet[Any]):
    """Executions: the camera's managers, and the organisations whose units they serve."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        served = Q(
            pk__in=self.model._meta.get_field("units")
            .related_model.objects.filter(
                task__organisation__path__startswith=principal.organisation_path, execution__isnull=False
            )
            .values("execution_id")
        )
        return managed_q(principal, "camera__") | served


class SlotQuerySet(VisibleQuerySet[Any]):
    """Slots say when a camera was looked at: captures' rights, frame times before history_from hidden."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return reach_q(principal, "capture", at, moment="planned_at")


class PlanQuerySet(VisibleQuerySet[Any]):
    """Plans of one's organisation and below."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        own = Q(organisation__path__startswith=principal.organisation_path)
        return own if action == "change" else own | Q(is_shared=True)
