"""Grants and role bindings carry a keyed hash; telephone and mail address are encrypted (the job seals old ones)."""

from django.db import migrations, models

import apps.core.models.sealed
from apps.core.seal_existing import seal_existing

GRANT = (
    "grantee_kind",
    "grantee_id",
    "granted_by_organisation_id",
    "actions",
    "purpose",
    "coverage",
    "valid_from",
    "valid_to",
    "history_from",
    "quota",
    "state",
    "requisition_reference",
)


def _mac() -> models.CharField:
    return models.CharField(blank=True, db_default="", default="", editable=False, max_length=140)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_sessions_and_second_factor")]

    operations = [
        migrations.AddField("grant", "mac", _mac()),
        migrations.AddField("rolebinding", "mac", _mac()),
        migrations.AlterField(
            "user",
            "phone",
            apps.core.models.sealed.EncryptedTextField(blank=True, max_length=32, verbose_name="phone"),
        ),
        migrations.AlterField(
            "user",
            "email",
            apps.core.models.sealed.EncryptedTextField(
                blank=True, max_length=254, verbose_name="email address"
            ),
        ),
        migrations.RunPython(
            seal_existing("accounts", "grant", GRANT), migrations.RunPython.noop, elidable=True
        ),
        migrations.RunPython(
            seal_existing("accounts", "rolebinding", ("user_id", "role")),
            migrations.RunPython.noop,
            elidable=True,
        ),
    ]
