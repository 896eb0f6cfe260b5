"""Who may log in and how: custom user, lockout after five failures, object rights of guardian."""

import os

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "apps.accounts.permissions.PasswordBackend",
    "apps.accounts.permissions.VisibilityBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "apps.accounts.forms.MixedOrLongValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "apps.accounts.models.session"
SESSION_COOKIE_AGE = 12 * 3600
VANTAGE_IDLE_SECONDS = 30 * 60  # nobody did anything
VANTAGE_SESSION_SECONDS = SESSION_COOKIE_AGE  # since the login, whatever was done
VANTAGE_SESSIONS_PER_USER = int(os.environ.get("VANTAGE_SESSIONS_PER_USER", "10"))  # 0: as many as they like
# required: whoever enters the Django admin sets up a second factor at login; optional: is asked to (demo, development)
VANTAGE_SECOND_FACTOR = os.environ.get("VANTAGE_SECOND_FACTOR", "required")
VANTAGE_EXPORT_ROWS = int(os.environ.get("VANTAGE_EXPORT_ROWS", "100000"))  # of one person in 24 hours
GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME = None
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [
    "username",
    "ip_address",
]  # counted by the handler: account, and accounts per address
AXES_HANDLER = "apps.accounts.services.lockout.LoginGuard"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # nobody keeps an account locked by going on
AXES_ALLOWED_CORS_ORIGINS = ""
AXES_SENSITIVE_PARAMETERS = [  # of the forms that ask for the password again: never kept beside the attempt
    "username", "ip_address", "old_password", "new_password1", "new_password2", "password1", "password2", "code",
]  # fmt: skip
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_ENABLE_ADMIN = False
SILENCED_SYSTEM_CHECKS = [
    "guardian.W001"
]  # object rights are answered by VisibilityBackend, read inside visible_to
