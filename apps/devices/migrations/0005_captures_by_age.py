"""An index for what is old enough to go; made beside the writes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("devices", "0004_retention_and_ledger")]

    operations = [
        AddIndexConcurrently(
            "capture",
            models.Index(
                condition=models.Q(deleted_at__isnull=True),
                fields=["media_class", "time"],
                name="capture_age",
            ),
        ),
    ]
