"""Locks need a transaction of the service's own: in other tests the test's own one stands in for it."""

from __future__ import annotations

import pytest

from apps.accounts.services.factors import begin_enrolment
from tests.support import factories


@pytest.mark.django_db(transaction=True)
def test_an_enrolment_locks_in_its_own_transaction() -> None:
    user = factories.user()
    assert begin_enrolment(user=user) == begin_enrolment(user=user)
