"""Trying a transaction again where PostgreSQL ended it for the sake of another one."""

from __future__ import annotations

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from psycopg import errors

logger = logging.getLogger(__name__)
ATTEMPTS = 3
FIRST_WAIT = 0.05
P = ParamSpec("P")
T = TypeVar("T")


def is_collision(error: BaseException) -> bool:
    """A deadlock or a serialization failure: this transaction was the victim, and would pass when repeated."""
    return isinstance(error.__cause__, errors.DeadlockDetected | errors.SerializationFailure)


def atomic_again(function: Callable[P, T]) -> Callable[P, T]:
    """`transaction.atomic`, repeated at most ATTEMPTS times after collisions, with a growing random wait.

    Inside another transaction it runs once: only the outermost one can be repeated as a whole. The function must do
    nothing outside the database before its end (wakes and pushes go on commit).
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        attempts = 1 if connection.in_atomic_block else ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if attempt == attempts or not is_collision(error):
                    raise
                logger.warning("%s: %s, again", function.__qualname__, type(error.__cause__).__name__)
                time.sleep(FIRST_WAIT * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - spreads, hides nothing
        raise AssertionError("unreachable")

    return run
