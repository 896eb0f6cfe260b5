import json
import logging

import pytest

from apps.core.logs import JsonFormatter, SecretFilter, masked


@pytest.mark.parametrize(
    "text",
    [
        "open rtsp://admin:hunter2@10.0.0.1/stream",
        "Authorization: Bearer vk_abcd1234_hunter2",
        "password=hunter2",
        '{"token": "hunter2"}',
        "key vk_hunter2",
        "secret whsec_hunter2",
    ],
)
def test_secrets_are_masked(text):
    assert "hunter2" not in masked(text)


def test_control_characters_cannot_forge_a_line():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "name %s", ('a\n{"level":"info"}\x1b[31m',), None)
    SecretFilter().filter(record)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["message"].startswith("name a\n")
