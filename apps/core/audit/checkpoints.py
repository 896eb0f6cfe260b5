"""Heads of the chain kept outside the database: one signed line each, chained among themselves."""

from __future__ import annotations

import fcntl
import hmac
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core import clock
from apps.core.audit.chain import GENESIS, chain_head
from apps.core.crypto import provider

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`seq` and `mac` of the newest record at `at`; kind `loss`: what came after `seq` is known to be lost."""

    kind: str
    seq: int
    mac: str
    at: str
    note: str = ""
    signature: str = ""
    fault: str = ""


def _file() -> Path:
    return Path(settings.VANTAGE_AUDIT_CHECKPOINTS)


def _signature(fields: dict[str, Any], key_id: str) -> str:
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return provider().mac(b"checkpoint:" + text.encode(), purpose="audit", key_id=key_id).hex()


def read_checkpoints(path: Path | None = None) -> list[Checkpoint]:
    """All lines in their order; `fault` says what is wrong with one (`line`, `signature`, `link`)."""
    path = path or _file()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found, previous = [], GENESIS
    for line in lines:
        entry = _checked(line, previous)
        previous = entry.signature
        found.append(entry)
    return found


def _checked(line: str, previous: str) -> Checkpoint:
    try:
        fields = json.loads(line)
        signature = fields.pop("signature")
        entry = {name: fields[name] for name in ("kind", "seq", "mac", "at", "note")}
        expected = _signature(fields, fields["key_id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return Checkpoint("head", 0, "", "", fault="line")
    fault = ""
    if not hmac.compare_digest(expected, str(signature)):
        fault = "signature"
    elif fields["previous"] != previous:
        fault = "link"
    return Checkpoint(**entry, signature=str(signature), fault=fault)


def _write(path: Path, kind: str, seq: int, mac: str, note: str, known: list[Checkpoint]) -> Checkpoint:
    fields = {
        "kind": kind,
        "seq": seq,
        "mac": mac,
        "at": clock.now().isoformat(timespec="seconds"),
        "note": note,
        "site": settings.VANTAGE_SITE,
        "key_id": provider().mac_id,
        "previous": known[-1].signature if known else GENESIS,
    }
    signature = _signature(fields, str(fields["key_id"]))
    line = json.dumps({**fields, "signature": signature}, ensure_ascii=False) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return Checkpoint(kind, seq, mac, str(fields["at"]), note, signature)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(f"{path}.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def checkpoint() -> Checkpoint | None:
    """Write the present head unless it stands there already; None where there is nothing new. Raises OSError."""
    path = _file()
    with _alone(path):
        seq, mac = chain_head()
        known = read_checkpoints(path)
        last = known[-1] if known else Checkpoint("head", 0, GENESIS, "")
        if last.mac == mac:
            return None
        if last.seq >= seq:
            logger.error("audit: the chain ends at %s, a checkpoint knows %s", seq, last.seq)
            return None
        return _write(path, "head", seq, mac, "", known)


def accept_loss(reason: str) -> Checkpoint:
    """After a restore: say, signed, that the chain really ends where it ends now, and why."""
    path = _file()
    with _alone(path):
        seq, mac = chain_head()
        return _write(path, "loss", seq, mac, reason[:300], read_checkpoints(path))
