"""The condition language of strategies, subscriptions and saved searches (pure, no database).

`{"all": [...]}`, `{"any": [...]}`, `{"not": {...}}` or a leaf `{"attr": "level", "op": "eq", "value": "urgent"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Condition = Mapping[str, Any]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, want: have == want,
    "ne": lambda have, want: have != want,
    "gt": lambda have, want: have is not None and have > want,
    "gte": lambda have, want: have is not None and have >= want,
    "lt": lambda have, want: have is not None and have < want,
    "lte": lambda have, want: have is not None and have <= want,
    "in": lambda have, want: have in want,
    "contains": lambda have, want: have is not None and want in have,
    "startswith": lambda have, want: isinstance(have, str) and have.startswith(want),
}
MAX_DEPTH = 8
MAX_LEAVES = 200


class ConditionError(ValueError):
    """The condition is not of the language; the message says where."""


def check(condition: Condition, attributes: frozenset[str]) -> None:
    """Raise ConditionError unless `condition` is well formed and uses only `attributes`."""
    if _count(condition, attributes, 0) > MAX_LEAVES:
        raise ConditionError(f"more than {MAX_LEAVES} comparisons")


def _count(condition: Condition, attributes: frozenset[str], depth: int) -> int:
    if depth > MAX_DEPTH:
        raise ConditionError(f"nested deeper than {MAX_DEPTH}")
    if not isinstance(condition, Mapping):
        raise ConditionError("a condition is an object")
    if not condition:
        return 0
    if set(condition) in ({"all"}, {"any"}):
        parts = next(iter(condition.values()))
        if not isinstance(parts, list):
            raise ConditionError("all / any hold a list")
        return sum(_count(part, attributes, depth + 1) for part in parts)
    if set(condition) == {"not"}:
        return _count(condition["not"], attributes, depth + 1)
    return _check_leaf(condition, attributes)


def _check_leaf(condition: Condition, attributes: frozenset[str]) -> int:
    if set(condition) != {"attr", "op", "value"}:
        raise ConditionError("a comparison has exactly attr, op and value")
    if not isinstance(condition["attr"], str) or condition["attr"] not in attributes:
        raise ConditionError(
            f"unknown attribute {condition['attr']!r}; there are: {', '.join(sorted(attributes))}"
        )
    if not isinstance(condition["op"], str) or condition["op"] not in OPERATORS:
        raise ConditionError(f"unknown operator {condition['op']!r}; there are: {', '.join(OPERATORS)}")
    if condition["op"] == "in" and not isinstance(condition["value"], list):
        raise ConditionError("the value of “in” is a list (an empty list matches nothing)")
    return 1


def matches(condition: Condition, values: Mapping[str, Any]) -> bool:
    """True when `values` satisfy `condition`; the empty condition matches everything."""
    if not condition:
        return True
    if "all" in condition:
        return all(matches(part, values) for part in condition["all"])
    if "any" in condition:
        return any(matches(part, values) for part in condition["any"])
    if "not" in condition:
        return not matches(condition["not"], values)
    try:
        return OPERATORS[condition["op"]](values.get(condition["attr"]), condition["value"])
    except TypeError:
        return False
