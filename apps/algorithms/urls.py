"""Pages of the algorithms room under /algorithms/."""

from django.urls import path

from apps.algorithms import views

app_name = "algorithms"
urlpatterns = [
    path("", views.AlgorithmListView.as_view(), name="algorithm-list"),
    path("<uuid:pk>/", views.algorithm_detail, name="algorithm-detail"),
    path("versions/<uuid:pk>/listed/", views.version_list_toggle, name="version-listed"),
    path("items/<uuid:pk>/mapping/", views.mapping_decide, name="mapping-decide"),
    path("packages/", views.PackageListView.as_view(), name="package-list"),
    path("packages/upload/", views.package_upload, name="package-upload"),
    path("packages/<uuid:pk>/", views.package_detail, name="package-detail"),
    path("event-types/", views.EventTypeListView.as_view(), name="event-type-list"),
    path("event-types/add/", views.event_type_edit, name="event-type-add"),
    path("event-types/<uuid:pk>/", views.event_type_edit, name="event-type-edit"),
]
