"""Pages of the devices room under /devices/."""

from django.urls import path

from apps.devices import views

app_name = "devices"
urlpatterns = [
    path("", views.camera_map, name="camera-map"),
    path("cameras/", views.CameraListView.as_view(), name="camera-list"),
    path("cameras/add/", views.camera_add, name="camera-add"),
    path("cameras/test-stream/", views.stream_test, name="stream-test"),
    path("cameras/<uuid:pk>/", views.camera_detail, name="camera-detail"),
    path("cameras/<uuid:pk>/edit/", views.camera_edit, name="camera-edit"),
    path("cameras/<uuid:pk>/stream/", views.stream_edit, name="stream-edit"),
    path("cameras/<uuid:pk>/snapshot.jpg", views.camera_snapshot, name="camera-snapshot"),
    path("map-data", views.map_data, name="map-data"),
    path("media/<str:token>", views.media, name="media"),
    path("purpose/", views.purpose, name="purpose"),
    path("ledger/", views.ledger, name="ledger"),
    path("ledger/export/", views.ledger_export, name="ledger-export"),
    path("ledger/odd/", views.odd_list, name="odd-list"),
    path("ledger/odd/<uuid:pk>/note/", views.odd_note, name="odd-note"),
    path("retention/", views.retention_list, name="retention-list"),
    path("retention/edit/", views.retention_edit, name="retention-edit"),
    path("retention/records/", views.deletion_list, name="deletion-list"),
    path("retention/locks/", views.lock_list, name="lock-list"),
    path("retention/locks/add/", views.lock_add, name="lock-add"),
    path("retention/locks/<uuid:pk>/release/", views.lock_release, name="lock-release"),
]
