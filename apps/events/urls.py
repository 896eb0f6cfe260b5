"""Pages of the events room under /events/."""

from django.urls import path

from apps.events.views import detail, library, live, workbench

app_name = "events"
urlpatterns = [
    path("", live.live, name="live"),
    path("cameras/<uuid:pk>/", live.camera_events, name="camera-events"),
    path("library/", library.EventListView.as_view(), name="event-list"),
    path("library/export.csv", library.event_export, name="event-export"),
    path("workbench/", workbench.workbench, name="workbench"),
    path("workbench/queue/", workbench.workbench_queue, name="workbench-queue"),
    path("workbench/<uuid:pk>/panel/", workbench.workbench_panel, name="workbench-panel"),
    path("workbench/<uuid:pk>/decide/", workbench.event_decide, name="event-decide"),
    path("workbench/<uuid:pk>/lock/", workbench.event_lock, name="event-lock"),
    path("workbench/reviews/<uuid:pk>/undo/", workbench.review_undo, name="review-undo"),
    path("<uuid:pk>/", detail.event_detail, name="event-detail"),
    path("<uuid:pk>/row/", live.event_row, name="event-row"),
    path("<uuid:pk>/review/", detail.event_review, name="event-review"),
]
