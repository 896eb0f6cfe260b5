from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Organisations, users, roles, grants."""

    name = "apps.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from django.contrib.auth import signals

        from apps.accounts import receivers

        signals.user_logged_in.connect(receivers.on_login, dispatch_uid="accounts.login")
        signals.user_logged_out.connect(receivers.on_logout, dispatch_uid="accounts.logout")
        signals.user_login_failed.connect(receivers.on_login_failed, dispatch_uid="accounts.login_failed")
