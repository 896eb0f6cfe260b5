import pytest

from apps.core.conditions import ConditionError, check, matches

ATTRIBUTES = frozenset({"level", "score", "code"})
VALUES = {"level": "urgent", "score": 0.8, "code": "010101"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"attr": "level", "op": "eq", "value": "urgent"}, True),
        ({"attr": "score", "op": "gte", "value": 0.9}, False),
        ({"attr": "code", "op": "startswith", "value": "0101"}, True),
        ({"attr": "code", "op": "in", "value": []}, False),
        ({"attr": "missing", "op": "gt", "value": 1}, False),
        ({"attr": "level", "op": "gt", "value": 1}, False),
        ({"all": []}, True),
        ({"any": []}, False),
        ({"not": {"attr": "level", "op": "eq", "value": "general"}}, True),
        (
            {
                "all": [
                    {"attr": "level", "op": "ne", "value": "general"},
                    {"any": [{"attr": "score", "op": "lt", "value": 1}]},
                ]
            },
            True,
        ),
    ],
)
def test_matches(condition, expected):
    assert matches(condition, VALUES) is expected


@pytest.mark.parametrize(
    "condition",
    [
        {"attr": "password", "op": "eq", "value": 1},
        {"attr": "level", "op": "regex", "value": ".*"},
        {"attr": "level", "op": "in", "value": "urgent"},
        {"all": {"attr": "level"}},
        {"all": [], "any": []},
        {"attr": "level", "op": "eq", "value": 1, "_connector": "OR"},
        [],
    ],
)
def test_a_condition_outside_the_language_is_refused(condition):
    with pytest.raises(ConditionError):
        check(condition, ATTRIBUTES)


def test_depth_is_bounded():
    nested: dict = {"attr": "level", "op": "eq", "value": "x"}
    for _ in range(20):
        nested = {"not": nested}
    with pytest.raises(ConditionError):
        check(nested, ATTRIBUTES)
