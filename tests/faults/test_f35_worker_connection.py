"""F35 for workers: their database connections serve many tasks; one that was ended in between costs no task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.analysis.models import CaptureSlot
from tests.support.captured import captured, decided, executions, send
from tests.support.celery_worker import celery_worker
from tests.support.engine import clear, scripted_engine


def sessions(*, end: bool = False) -> set[int]:
    """The other sessions on this database; ended where asked."""
    what = "pid, pg_terminate_backend(pid)" if end else "pid"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {what} FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.timeout(180)
@pytest.mark.django_db(transaction=True)
def test_f35_an_ended_connection_costs_a_worker_no_task(
    analysis_broker: str, tmp_path: Path, settings: Any
) -> None:
    rows = executions(4, "intrusion")
    with (
        scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: clear(spec["execution"])),
        celery_worker(tmp_path, analysis_broker, queues="inference.cpu"),
    ):
        send(captured(rows, settings.VANTAGE_NODE))
        decided(60)
        before = sessions()
        send(captured(rows, settings.VANTAGE_NODE, late=1))
        decided(60)
        assert before & sessions(), "the connection is kept between tasks"
        sessions(end=True)
        send(captured(rows, settings.VANTAGE_NODE, late=2))
        decided(60)
        log = (tmp_path / "w.log").read_text(errors="replace")
    assert "OperationalError" not in log
    assert "Traceback" not in log
    assert set(CaptureSlot.objects.values_list("attempts", flat=True)) == {1}
