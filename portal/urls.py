"""Every room's pages; the API; health; the plain Django admin."""

from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from apps.accounts import views as accounts
from portal import pages, views

ROOMS = ("accounts", "devices", "algorithms", "analysis", "events", "strategies", "dispatch", "openapi")

for _room in ROOMS:  # before `admin.site.urls` lists what is registered
    if find_spec(f"apps.{_room}.admin"):
        import_module(f"apps.{_room}.admin")

urlpatterns = [
    path("", pages.home, name="home"),
    path("overview/", pages.overview, name="overview"),
    path("search/", pages.search, name="search"),
    path("jobs/", pages.job_list, name="job-list"),
    path("notifications/", pages.notification_list, name="notification-list"),
    path("profile/", pages.profile, name="profile"),
    path("audit/", pages.AuditListView.as_view(), name="audit-list"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("login/", auth.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("password_change/", accounts.PasswordChange.as_view(), name="password_change"),
    path("password_change/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("metrics", views.metrics, name="metrics"),
    path("manage/login/", pages.admin_login, name="admin-login"),
    path("manage/", admin.site.urls),
    path("api/v1/", include("portal.api")),
]
for _room in ROOMS:
    if find_spec(f"apps.{_room}.urls"):
        urlpatterns.append(path(f"{_room}/", include(f"apps.{_room}.urls")))

handler400 = "portal.views.bad_request"
handler403 = "portal.views.permission_denied"
handler404 = "portal.views.page_not_found"
handler500 = "portal.unavailable.server_error"
