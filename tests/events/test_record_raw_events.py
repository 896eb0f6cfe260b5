"""Storing raw events: once each, told once, never lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from prometheus_client import REGISTRY

from apps.algorithms.models import DetectionItem
from apps.events.models import RawEvent
from apps.events.services import record_raw_events
from apps.events.signals import raw_events_recorded
from tests.events import factories as make
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Any:
    heard: list[list[Any]] = []

    def hear(sender: Any, ids: list[Any], **rest: Any) -> None:
        heard.append(ids)

    raw_events_recorded.connect(hear)
    yield heard
    raw_events_recorded.disconnect(hear)


def test_a_batch_is_stored_in_order_of_time_and_told_once(told: list[Any]) -> None:
    execution = make.execution()
    bureau = factories.organisation()
    unit = make.unit(execution, bureau)

    ids = record_raw_events([make.hit(execution, 5), make.hit(execution, 1), make.hit(execution, 5)])

    assert told == [ids]
    rows = [RawEvent.objects.get(pk=identifier) for identifier in ids]
    assert [row.time for row in rows] == [make.hit(execution, 1).time, make.hit(execution, 5).time]
    assert rows[0].camera_id == execution.camera_id
    assert rows[0].units == [unit.pk]
    assert rows[0].organisations == [bureau.pk]
    assert rows[0].score == 0.9
    assert rows[0].targets[0]["box"] == make.BOX
    assert rows[0].event_type.items.get().code == "object.left"


def test_the_same_hit_again_is_neither_stored_nor_told(told: list[Any]) -> None:
    execution = make.execution()
    first = record_raw_events([make.hit(execution, 1)])

    again = record_raw_events([make.hit(execution, 1), make.hit(execution, 2)])

    assert len(again) == 1
    assert again != first
    assert told == [first, again]
    assert RawEvent.objects.count() == 2


@pytest.mark.parametrize(("state", "typed"), [("proposed", True), ("refused", True), ("accepted", False)])
def test_an_unmapped_item_is_kept_and_counted(told: list[Any], state: str, typed: bool) -> None:
    execution = make.execution()
    item = DetectionItem.objects.get(algorithm=execution.version.algorithm)
    DetectionItem.objects.filter(pk=item.pk).update(
        mapping_state=state, event_type=item.event_type if typed else None
    )
    labels = {"algorithm": str(item.algorithm_id), "item": item.code}

    [identifier] = record_raw_events([make.hit(execution)])

    assert RawEvent.objects.get(pk=identifier).event_type is None
    assert told == [[identifier]]
    assert REGISTRY.get_sample_value("vantage_unmapped_hits_total", labels) == 1


def test_an_undeclared_item_is_entered_for_the_operator() -> None:
    execution = make.execution()

    [identifier] = record_raw_events([make.hit(execution, item="never.declared")])

    item = RawEvent.objects.get(pk=identifier).item
    assert (item.code, item.mapping_state, item.event_type) == ("never.declared", "proposed", None)


def test_hits_of_a_lost_execution_are_counted(told: list[Any]) -> None:
    execution = make.execution()
    orphan = make.hit(execution)
    execution.delete()
    before = REGISTRY.get_sample_value("vantage_homeless_hits_total") or 0

    assert record_raw_events([orphan]) == []

    assert told == []
    assert REGISTRY.get_sample_value("vantage_homeless_hits_total") == before + 1


@pytest.mark.django_db(transaction=True)
def test_nothing_stays_of_a_transaction_that_fails() -> None:
    execution = make.execution()

    with transaction.atomic():
        record_raw_events([make.hit(execution)])
        transaction.set_rollback(True)

    assert not RawEvent.objects.exists()
    assert len(record_raw_events([make.hit(execution)])) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM raw_event_batch")
        assert cursor.fetchone() == (0,)


def test_batches_of_one_transaction_are_told_apart(told: list[Any]) -> None:
    execution = make.execution()

    first = record_raw_events([make.hit(execution, 1), make.hit(execution, 1)])
    second = record_raw_events([make.hit(execution, 1), make.hit(execution, 2)])

    assert [len(first), len(second)] == [1, 1]
    assert told == [first, second]


@pytest.mark.parametrize("text", ["a\\b", "tab\there", "line\nnext\r", 'quoted "x"', "\\N", "垃圾", "\\."])
def test_texts_come_back_as_they_were_reported(text: str) -> None:
    target = {"label": text, "score": 0.5, "box": make.BOX, "track": None, "attributes": {"note": text}}
    context = {"interval": 7.5, "remark": text}

    raw = make.raw_event(targets=[target], context=context)

    assert raw.targets == [target]
    assert (raw.context["interval"], raw.context["remark"]) == (7.5, text)
