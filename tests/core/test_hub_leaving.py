"""A page that goes while the hub is still opening its subscription: nothing hangs, nothing stays behind."""

from __future__ import annotations

import asyncio

import pytest

from apps.core.realtime.hub import Hub, Member

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_page_that_goes_at_once_is_let_go() -> None:
    async def come_and_go(steps: int) -> None:
        hub, member = Hub(), Member()
        await hub.join(member)
        for _step in range(steps):
            await asyncio.sleep(0.0005)
        tasks = list(hub._tasks)
        leaving = asyncio.create_task(hub.leave(member))
        done, _waiting = await asyncio.wait({leaving}, timeout=8)
        assert done
        assert all(task.done() for task in tasks)

    async def scenario() -> None:
        for steps in range(12):
            await come_and_go(steps)

    asyncio.run(scenario())
