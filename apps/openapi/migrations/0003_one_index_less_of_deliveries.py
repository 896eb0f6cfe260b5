"""Two indexes of deliveries began with the subscription, and every try of a message wrote both."""

import django.db.models.deletion
from django.db import migrations, models

NAME = "openapi_delivery_subscription_id_5a495b6d"


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY

    dependencies = [("openapi", "0002_probe_after_disabling")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {NAME} ON openapi_delivery (subscription_id)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="delivery",
                    name="subscription",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="openapi.subscription",
                    ),
                )
            ],
        )
    ]
