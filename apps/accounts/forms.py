"""Forms of accounts, and the password rule that is ours."""

from __future__ import annotations

import string
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MIXED, LONG, LONGEST = 3, 16, 128


class MixedOrLongValidator:
    """Three of: small letters, capitals, digits, signs; or a phrase of 16 characters. At most 128 characters."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError (`password_simple`, `password_too_long`)."""
        if len(password) > LONGEST:
            raise ValidationError(
                _("A password has at most %(most)d characters."), "password_too_long", {"most": LONGEST}
            )
        kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
        used = sum(any(one in kind for one in password) for kind in kinds)
        used += any(one not in string.ascii_letters + string.digits for one in password)
        if len(password) < LONG and used < MIXED:
            raise ValidationError(self.get_help_text(), "password_simple")

    def get_help_text(self) -> str:
        """For the form."""
        return _("Mix three of small letters, capitals, digits and signs, or use a phrase of 16 characters.")


def _is_theirs(request: Any, user: Any, password: str) -> bool:
    """Asked as at the door, so that wrong answers count towards the lock of the account."""
    return authenticate(request, username=user.get_username(), password=password) == user


class OwnPasswordForm(PasswordChangeForm):
    """The present password, and a new one that is not the present one."""

    def __init__(self, *given: Any, request: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.request = request

    def clean_old_password(self) -> str:
        """It is theirs."""
        old = str(self.cleaned_data["old_password"])
        if not _is_theirs(self.request, self.user, old):
            raise ValidationError(self.error_messages["password_incorrect"], "password_incorrect")
        return old

    def clean_new_password1(self) -> str:
        """A change changes something."""
        new = str(self.cleaned_data["new_password1"])
        if self.user.check_password(new):
            raise ValidationError(_("This is the password you have now. Choose another."), "password_same")
        return new


class CodeForm(forms.Form):
    """A code of the authenticator, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=32,
        help_text=gettext_lazy("Six digits from your authenticator, or a recovery code."),
        widget=forms.TextInput({"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )


class PasswordForm(forms.Form):
    """The present password again, before something about the login changes."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        max_length=LONGEST,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )

    def __init__(self, *given: Any, request: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.request = request

    def clean_password(self) -> str:
        """It is theirs."""
        password = str(self.cleaned_data["password"])
        if not _is_theirs(self.request, self.request.user, password):
            raise ValidationError(_("This password is not right."), "password_wrong")
        return password


class EnrolForm(PasswordForm):
    """The password, and the first code of the new authenticator."""

    code = forms.RegexField(
        r"^\s*\d{3}\s?\d{3}\s*$",
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("Six digits from your authenticator."),
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        """Without spaces."""
        return "".join(str(self.cleaned_data["code"]).split())


class ExportRequisitionForm(forms.Form):
    """How many rows beyond the quota, and what for."""

    rows = forms.IntegerField(label=gettext_lazy("Rows beyond the quota"), min_value=1, max_value=1_000_000)
    reason = forms.CharField(
        label=gettext_lazy("What the rows are for"),
        max_length=300,
        help_text=gettext_lazy("Who decides reads this, and so does the audit."),
    )
