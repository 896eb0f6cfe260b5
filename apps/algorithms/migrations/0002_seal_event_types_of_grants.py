"""The event types that a grant names carry a keyed hash."""

from django.db import migrations, models

from apps.core.seal_existing import seal_existing


class Migration(migrations.Migration):
    dependencies = [
        ("algorithms", "0001_initial"),
        ("accounts", "0003_seal_rights_and_contact"),
    ]

    operations = [
        migrations.AddField(
            "eventtypegrant",
            "mac",
            models.CharField(blank=True, db_default="", default="", editable=False, max_length=140),
        ),
        migrations.RunPython(
            seal_existing("algorithms", "eventtypegrant", ("grant_id", "event_type_id")),
            migrations.RunPython.noop,
            elidable=True,
        ),
    ]
