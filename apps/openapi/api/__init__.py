"""/api/v1/apps, /subscriptions, /deliveries, and the documentation page."""

from django.urls import path

from apps.openapi.api.deliveries import AppViewSet, DeliveryViewSet
from apps.openapi.api.documentation import ApiDocsView
from apps.openapi.api.subscriptions import SubscriptionViewSet

routes = [
    ("apps", AppViewSet),
    ("subscriptions", SubscriptionViewSet),
    ("deliveries", DeliveryViewSet),
]
urlpatterns = [path("docs", ApiDocsView.as_view(), name="api-docs")]
