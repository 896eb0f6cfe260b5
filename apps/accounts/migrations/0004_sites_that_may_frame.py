"""An organisation names the sites whose frames may show its big screens; nobody may until one is named."""

import django.contrib.postgres.fields
from django.db import migrations, models

import apps.core.framing


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_seal_rights_and_contact"),
    ]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="framing_origins",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=270, validators=[apps.core.framing.validate_origin]),
                blank=True,
                db_default=[],
                default=list,
                help_text="For example https://portal.example.gov.cn, several separated by commas. Empty: none. Only a portal under this site's own domain shows anything: the session's cookie goes nowhere else.",
                size=20,
                verbose_name="sites that may frame its big screens",
            ),
        ),
    ]
