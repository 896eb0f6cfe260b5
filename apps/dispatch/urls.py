"""Pages of the dispatch room under /dispatch/."""

from django.urls import path

from apps.dispatch import views

app_name = "dispatch"
urlpatterns = [
    path("chain/", views.chain, name="chain"),
    path("frames/<uuid:pk>/", views.frame_chain, name="chain-frame"),
    path("health/", views.health, name="health"),
    path("nodes/", views.NodeListView.as_view(), name="node-list"),
]
