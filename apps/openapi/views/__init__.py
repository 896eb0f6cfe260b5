"""Pages of the open platform."""

from apps.openapi.views.apps import (
    AppListView,
    app_add,
    app_detail,
    app_state,
    key_add,
    key_revoke,
    key_rotate,
)
from apps.openapi.views.deliveries import (
    DeliveryListView,
    delivery_detail,
    delivery_resend,
    event_deliveries,
    resend_chosen,
    resend_preview,
)
from apps.openapi.views.subscriptions import (
    SubscriptionListView,
    subscription_add,
    subscription_delete,
    subscription_detail,
    subscription_edit,
    subscription_replay,
    subscription_rotate,
    subscription_state,
    subscription_test,
)

__all__ = [
    "AppListView",
    "DeliveryListView",
    "SubscriptionListView",
    "app_add",
    "app_detail",
    "app_state",
    "delivery_detail",
    "delivery_resend",
    "event_deliveries",
    "key_add",
    "key_revoke",
    "key_rotate",
    "resend_chosen",
    "resend_preview",
    "subscription_add",
    "subscription_delete",
    "subscription_detail",
    "subscription_edit",
    "subscription_replay",
    "subscription_rotate",
    "subscription_state",
    "subscription_test",
]
