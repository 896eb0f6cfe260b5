from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.core.ids import id_floor, id_time, key_id, uuid7

MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1),
    max_value=datetime(2100, 1, 1),
    timezones=st.just(UTC),
)


def test_uuid7_is_of_its_version():
    assert uuid7().version == 7


@given(MOMENTS, st.text(max_size=20), st.text(max_size=20))
def test_key_id_is_a_version_7_of_its_moment_and_key(moment, first, second):
    made = key_id(moment, first, second)
    assert made.version == 7
    assert made == key_id(moment, first, second)
    assert abs(id_time(made) - moment) < timedelta(milliseconds=1)
    assert id_floor(moment) <= made < id_floor(moment + timedelta(milliseconds=1))


def test_key_parts_do_not_run_together():
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert key_id(moment, "ab", "c") != key_id(moment, "a", "bc")
