"""The cameras, directories and regions a grant names carry a keyed hash."""

from django.db import migrations, models

from apps.core.seal_existing import seal_existing

LINKS = {"cameragrant": "camera_id", "directorygrant": "directory_id", "regiongrant": "region_id"}


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0002_media_state_and_storage_findings"),
        ("accounts", "0003_seal_rights_and_contact"),
    ]

    operations = [
        *(
            migrations.AddField(
                name,
                "mac",
                models.CharField(blank=True, db_default="", default="", editable=False, max_length=140),
            )
            for name in LINKS
        ),
        *(
            migrations.RunPython(
                seal_existing("devices", name, ("grant_id", covered)),
                migrations.RunPython.noop,
                elidable=True,
            )
            for name, covered in LINKS.items()
        ),
    ]
