"""Pages of the open platform under /openapi/."""

from django.urls import path
from django.views.generic import RedirectView

from apps.openapi import views

app_name = "openapi"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="openapi:app-list"), name="index"),
    path("apps/", views.AppListView.as_view(), name="app-list"),
    path("apps/add/", views.app_add, name="app-add"),
    path("apps/<uuid:pk>/", views.app_detail, name="app-detail"),
    path("apps/<uuid:pk>/state/", views.app_state, name="app-state"),
    path("apps/<uuid:pk>/keys/", views.key_add, name="key-add"),
    path("keys/<uuid:pk>/revoke/", views.key_revoke, name="key-revoke"),
    path("keys/<uuid:pk>/rotate/", views.key_rotate, name="key-rotate"),
    path("subscriptions/", views.SubscriptionListView.as_view(), name="subscription-list"),
    path("subscriptions/add/", views.subscription_add, name="subscription-add"),
    path("subscriptions/<uuid:pk>/", views.subscription_detail, name="subscription-detail"),
    path("subscriptions/<uuid:pk>/edit/", views.subscription_edit, name="subscription-edit"),
    path("subscriptions/<uuid:pk>/test/", views.subscription_test, name="subscription-test"),
    path("subscriptions/<uuid:pk>/rotate/", views.subscription_rotate, name="subscription-rotate"),
    path("subscriptions/<uuid:pk>/state/", views.subscription_state, name="subscription-state"),
    path("subscriptions/<uuid:pk>/delete/", views.subscription_delete, name="subscription-delete"),
    path("subscriptions/<uuid:pk>/replay/", views.subscription_replay, name="subscription-replay"),
    path("deliveries/", views.DeliveryListView.as_view(), name="delivery-list"),
    path("deliveries/resend-preview/", views.resend_preview, name="delivery-resend-preview"),
    path("deliveries/resend/", views.resend_chosen, name="delivery-resend-chosen"),
    path("deliveries/<uuid:pk>/", views.delivery_detail, name="delivery-detail"),
    path("deliveries/<uuid:pk>/resend/", views.delivery_resend, name="delivery-resend"),
    path("events/<uuid:pk>/deliveries/", views.event_deliveries, name="event-deliveries"),
]
