"""Pages about one's own login."""

from django.urls import path

from apps.accounts import views

app_name = "accounts"
urlpatterns = [
    path("second-factor/", views.second_factor, name="second-factor"),
    path("second-factor/enrol/", views.second_factor_enrol, name="second-factor-enrol"),
    path("second-factor/codes/", views.recovery_codes, name="recovery-codes"),
    path("second-factor/remove/", views.second_factor_remove, name="second-factor-remove"),
    path("sessions/end/", views.session_end, name="session-end"),
]
