"""`rotate_key begin | use | run | status | retire`: a new key without stopping anything."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core import audit, rotation
from apps.core.crypto import provider
from apps.core.crypto.keys import Key, read_keys, write_keys


class Command(BaseCommand):
    """On several machines, copy the key file to all of them after `begin` and again after `use`."""

    help = "Change the site's key: begin, use, run, status, retire."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verb and the key's name."""
        parser.add_argument("verb", choices=["begin", "use", "run", "status", "retire"])
        parser.add_argument("--id", default="", help="the key's name, e.g. site-2")

    def handle(self, *args: Any, **options: Any) -> None:
        """One verb."""
        getattr(self, f"_{options['verb']}")(options["id"])

    def _keys(self) -> dict[str, Key]:
        return read_keys(settings.VANTAGE_KEY_FILE)

    def _write(self, keys: list[Key], action: str, name: str) -> None:
        write_keys(settings.VANTAGE_KEY_FILE, keys)
        audit.record(None, action, name=name)

    def _begin(self, name: str) -> None:
        """A new key that opens and is not used yet."""
        keys = self._keys()
        if not name or name in keys or not name.replace("-", "").isalnum() or len(name) > 30:
            raise CommandError("give a new --id of letters, digits and dashes, e.g. --id site-2")
        self._write([*keys.values(), Key(name, secrets.token_bytes(32), {})], "key.begin", name)
        self.stdout.write(
            f"{name} is in the key file. Copy it to every machine, then: rotate_key use --id {name}"
        )

    def _use(self, name: str) -> None:
        """New writes take this key from now on."""
        keys = self._keys()
        if name not in keys or keys[name].is_retired:
            raise CommandError(f"there is no key {name} to use; there are: {', '.join(keys)}")
        chosen = keys.pop(name)
        self._write([chosen, *keys.values()], "key.use", name)
        self.stdout.write(f"new writes use {name}; the rest follows by itself, or at once: rotate_key run")

    def _run(self, name: str) -> None:
        """Everything old is made new, with progress."""
        total = sum(rotation.remaining().values())
        done = 0
        while made := rotation.reseal(200):
            done += made
            self.stdout.write(f"{done}/{max(total, done)}")
        self._status(name)

    def _status(self, name: str) -> None:
        keys = provider()
        for key in keys.masters():
            word = "retired" if key.is_retired else "in use" if key.id == keys.key_id else "opens"
            self.stdout.write(f"key {key.id}: {word}")
        for holder, count in rotation.remaining().items():
            self.stdout.write(f"{holder}: {count} old")

    def _retire(self, name: str) -> None:
        """What is left of the key verifies audit records; refused while anything is old."""
        keys = self._keys()
        if name not in keys or keys[name].is_retired:
            raise CommandError(f"there is no key {name} to retire")
        if provider().key_id == name:
            raise CommandError(f"{name} is in use; make another one first")
        old = {holder: count for holder, count in rotation.remaining().items() if count}
        if old:
            raise CommandError(f"still under an old key: {old}. Run: rotate_key run")
        self._write([key.retired() if key.id == name else key for key in keys.values()], "key.retire", name)
        self.stdout.write(f"{name} is retired: it verifies old audit records and opens nothing")
