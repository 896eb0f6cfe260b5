"""Who holds a pending run, and indexes for taking runs in order: an empty column and a queue's few rows."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("strategies", "0001_initial")]

    operations = [
        migrations.AddField("pendingrun", "holder", models.BigIntegerField(null=True)),
        migrations.AddIndex(
            "pendingrun", models.Index(fields=["time", "raw_event"], name="pending_run_order")
        ),
        migrations.AddIndex(
            "pendingrun",
            models.Index(
                fields=["camera_id"], condition=models.Q(lease_until__isnull=False), name="pending_run_leased"
            ),
        ),
    ]
