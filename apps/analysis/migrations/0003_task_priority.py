from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0002_initial")]

    operations = [
        migrations.AddField(
            model_name="analysistask",
            name="priority",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="priority"),
        ),
        migrations.AddField(
            model_name="analysistask",
            name="is_preemptible",
            field=models.BooleanField(db_default=False, default=False, verbose_name="may be pre-empted"),
        ),
    ]
