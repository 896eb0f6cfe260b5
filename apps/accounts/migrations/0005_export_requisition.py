"""People ask to export more than the quota, and somebody else decides."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_sites_that_may_frame"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportRequisition",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "mac",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=140),
                ),
                ("rows", models.PositiveIntegerField(verbose_name="rows")),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("submitted", "Waiting for a decision"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                            ("used", "Used"),
                        ],
                        default="submitted",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("decider_id", models.UUIDField(blank=True, null=True, verbose_name="decided by")),
                (
                    "decider_name",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="decided by"),
                ),
                ("opinion", models.CharField(blank=True, default="", max_length=300, verbose_name="opinion")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                ("valid_to", models.DateTimeField(blank=True, null=True, verbose_name="valid to")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="export_requisitions",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "export requisition",
                "verbose_name_plural": "export requisitions",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "submitted")),
                        fields=("user",),
                        name="export_requisition_one_open",
                    )
                ],
            },
        ),
    ]
