from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Organisations, users, roles, grants."""

    name = "apps.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from axes.signals import user_locked_out
        from django.contrib.auth import signals

        from apps.accounts import receivers, tasks
        from apps.accounts.models import ExportRequisition, Grant, RoleBinding, SecondFactor, User
        from apps.accounts.services import factors
        from apps.core import periodic, rotation
        from apps.core.signals import seal_broken

        signals.user_logged_in.connect(receivers.on_login, dispatch_uid="accounts.login")
        signals.user_logged_out.connect(receivers.on_logout, dispatch_uid="accounts.logout")
        signals.user_login_failed.connect(receivers.on_login_failed, dispatch_uid="accounts.login_failed")
        user_locked_out.connect(receivers.on_locked_out, dispatch_uid="accounts.locked_out")
        seal_broken.connect(receivers.on_seal_broken, dispatch_uid="accounts.seal_broken")
        periodic.schedule.add("accounts.clear_sessions", periodic.Periodic(tasks.clear_sessions, 3600))
        rotation.holders.add("accounts.phone", rotation.encrypted_column(User, "phone"))
        rotation.holders.add("accounts.email", rotation.encrypted_column(User, "email"))
        rotation.holders.add(
            "accounts.second_factor", rotation.text_column(SecondFactor, "secret", factors.secret_context)
        )
        rotation.holders.add("accounts.grant", rotation.sealed_rows(Grant))
        rotation.holders.add("accounts.role", rotation.sealed_rows(RoleBinding))
        rotation.holders.add("accounts.export_requisition", rotation.sealed_rows(ExportRequisition))
