"""Main events of a camera by when they were seen last; built without holding up writers."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            "event", models.Index(fields=["camera", "-last_seen"], name="event_camera_seen")
        ),
    ]
