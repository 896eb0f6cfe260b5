"""Is everything that must run running? One line per duty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from apps.core.models import ProcessLease
from apps.devices.services.storage import next_step, open_findings
from apps.dispatch.models import ComputeNode
from apps.dispatch.selectors.chain import broker_answers
from apps.dispatch.selectors.models import faulty_models
from apps.dispatch.selectors.nodes import is_lost

SILENT = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Duty:
    """One process or service: its state, who does it, and what to do when nobody does."""

    name: str
    state: str
    holder: str = ""
    seen_at: datetime | None = None
    next_step: str = ""


def duties(now: datetime) -> list[Duty]:
    """Database, broker, leader, writer, holders and engines."""
    leases = {row.name: row for row in ProcessLease.objects.exclude(name__startswith="periodic:")}
    found = [
        Duty(_("Database"), "ok"),
        Duty(_("Broker"), "ok" if broker_answers() else "down", next_step=_("Start Redis or Valkey.")),
        _leased(_("Scheduler"), leases.get("scheduler"), now, _("Start `manage.py scheduler`.")),
        _leased(_("Writer"), leases.get("writer"), now, _("Start `manage.py courier`.")),
    ]
    for node in ComputeNode.objects.order_by("name"):
        found += _of_node(node, is_lost(node, now))
    return found + _storage()


def _of_node(node: ComputeNode, lost: bool) -> list[Duty]:
    def duty(name: str, is_well: bool, next_step: str) -> Duty:
        return Duty(name, "ok" if is_well else "down", node.address, node.heartbeat_at, next_step)

    engine, faults = (node.load.get("engine") or {}).get("is_up"), faulty_models(node)
    found = [
        duty(
            _("Stream holder of %(node)s") % {"node": node.name},
            not lost,
            _("Start `manage.py streams` on this node."),
        ),
        duty(
            _("Engine of %(node)s") % {"node": node.name},
            bool(engine) and not lost,
            _("Start `manage.py engine` on this node."),
        ),
    ]
    if faults and not lost:
        words = _("Models on %(node)s: %(count)d missing or damaged")
        step = _("Synchronise the packages of this node again; other nodes take its work meanwhile.")
        found.append(duty(words % {"node": node.name, "count": len(faults)}, False, step))
    return found


def _storage() -> list[Duty]:
    """What the machines cannot keep; one line that all is well where nothing is wrong."""
    faults = open_findings()
    if not faults:
        return [Duty(_("Media storage"), "ok")]
    return [
        Duty(
            _("Media storage: %(fault)s") % {"fault": row.get_kind_display()},
            "down",
            row.node,
            row.updated_at,
            next_step(row),
        )
        for row in faults
    ]


def _leased(name: str, row: ProcessLease | None, now: datetime, next_step: str) -> Duty:
    if row is None:
        return Duty(name, "down", next_step=next_step)
    state = "ok" if row.until > now - SILENT else "down"
    return Duty(name, state, row.holder, row.renewed_at, next_step)
