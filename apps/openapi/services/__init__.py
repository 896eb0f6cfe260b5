"""What can be done on the open platform."""

from apps.openapi.services.api_keys import NewKey, create_api_key, revoke_api_key, rotate_api_key
from apps.openapi.services.apps import change_app, register_app
from apps.openapi.services.catalogue import sync_services
from apps.openapi.services.endpoints import vet_endpoint
from apps.openapi.services.enqueue import enqueue_event, message_id
from apps.openapi.services.leasing import Leased, lease_due, release
from apps.openapi.services.messages import build_message
from apps.openapi.services.outcomes import Outcome, record_outcomes
from apps.openapi.services.preparing import Prepared, prepare
from apps.openapi.services.resending import ReplayPlan, plan_replay, replay_range, resend_delivery
from apps.openapi.services.secrets import open_secrets, rotate_secret
from apps.openapi.services.signing import signed_headers
from apps.openapi.services.subscriptions import (
    NewSubscription,
    create_subscription,
    delete_subscription,
    pause_subscription,
    resume_subscription,
    update_subscription,
)
from apps.openapi.services.testing import TestResult, send_test

__all__ = [
    "Leased",
    "NewKey",
    "NewSubscription",
    "Outcome",
    "Prepared",
    "ReplayPlan",
    "TestResult",
    "build_message",
    "change_app",
    "create_api_key",
    "create_subscription",
    "delete_subscription",
    "enqueue_event",
    "lease_due",
    "message_id",
    "open_secrets",
    "pause_subscription",
    "plan_replay",
    "prepare",
    "record_outcomes",
    "register_app",
    "release",
    "replay_range",
    "resend_delivery",
    "resume_subscription",
    "revoke_api_key",
    "rotate_api_key",
    "rotate_secret",
    "send_test",
    "signed_headers",
    "sync_services",
    "update_subscription",
    "vet_endpoint",
]
