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
]
