"""Pages about one's own login and exports."""

from django.urls import path

from apps.accounts import views

app_name = "accounts"
urlpatterns = [
    path("second-factor/", views.second_factor, name="second-factor"),
    path("second-factor/enrol/", views.second_factor_enrol, name="second-factor-enrol"),
    path("second-factor/codes/", views.recovery_codes, name="recovery-codes"),
    path("second-factor/remove/", views.second_factor_remove, name="second-factor-remove"),
    path("requisitions/", views.requisition_list, name="requisition-list"),
    path("requisitions/add/", views.requisition_add, name="requisition-add"),
    path("requisitions/<uuid:pk>/decide/", views.requisition_decide, name="requisition-decide"),
    path("requisitions/<uuid:pk>/withdraw/", views.requisition_withdraw, name="requisition-withdraw"),
    path("sessions/end/", views.session_end, name="session-end"),
]
