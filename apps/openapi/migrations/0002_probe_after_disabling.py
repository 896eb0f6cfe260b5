"""An endpoint that was disabled begins again with one probing message across all processes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("openapi", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="is_probed",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="subscription",
            name="probe_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
