"""Apps, keys, subscriptions and what was delivered."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation, User
from apps.algorithms.models import EventType
from apps.core.models import StampedModel
from apps.devices.models import Camera
from apps.openapi.choices import DeliveryState, EndpointState, MessageKind, ServiceState
from apps.openapi.querysets import (
    AppQuerySet,
    OfAppQuerySet,
    OfDeliveryQuerySet,
    OfSubscriptionQuerySet,
    ServiceQuerySet,
)


class App(StampedModel):
    """应用: a registered application of one organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="apps")
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = AppQuerySet.as_manager()

    class Meta:
        verbose_name = _("app")
        verbose_name_plural = _("apps")
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="app_name")]

    def __str__(self) -> str:
        return self.name


class ApiKey(StampedModel):
    """密钥: `vk_<prefix>_<secret>`; only the prefix and a salted SHA-256 are stored, shown once."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(_("prefix"), max_length=8, unique=True)
    salt = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=32), verbose_name=_("scopes"))
    addresses = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, verbose_name=_("addresses")
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    objects = OfAppQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"vk_{self.prefix}_…"


class Service(StampedModel):
    """开放服务: one documented API operation."""

    code = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    scope = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=ServiceState.choices, default=ServiceState.ON_LINE)

    objects = ServiceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Subscription(StampedModel):
    """事件订阅: which events go where.

    `all_event_types` / `all_cameras` say "all that the App may see"; without them an empty list means none.
    `condition` is the condition language. `secrets` are sealed, newest first:
    `[{"id", "sealed", "made_at", "valid_until"}]`; two are valid during a rotation.
    """

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="subscriptions")
    name = models.CharField(_("name"), max_length=100)
    endpoint = models.CharField(_("endpoint"), max_length=1000)
    secrets = models.JSONField(default=list, editable=False)
    state = models.CharField(
        _("state"), max_length=16, choices=EndpointState.choices, default=EndpointState.ACTIVE
    )
    state_reason = models.CharField(max_length=200, blank=True)
    all_event_types = models.BooleanField(_("all event types"), default=True)
    event_types = models.ManyToManyField(EventType, related_name="subscriptions", blank=True)
    all_cameras = models.BooleanField(_("all cameras"), default=True)
    cameras = models.ManyToManyField(Camera, related_name="subscriptions", blank=True)
    condition = models.JSONField(_("condition"), default=dict, blank=True)
    kinds = ArrayField(models.CharField(max_length=16), default=list, verbose_name=_("message kinds"))
    only_reviewed = models.BooleanField(_("only confirmed events"), default=False)
    failing_since = models.DateTimeField(null=True, blank=True)
    throttled_until = models.DateTimeField(null=True, blank=True)
    #: After it was disabled: one message at a time, whichever process sends it, until one arrives.
    is_probed = models.BooleanField(default=False, db_default=False, editable=False)
    probe_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = OfAppQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")

    @property
    def kind_labels(self) -> list[str]:
        """The message kinds in the reader's language."""
        return [str(MessageKind(kind).label) for kind in self.kinds if kind in MessageKind.values]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """推送: one row per (subscription, message); `id` is made from both, `message` is the stable webhook-id.

    `kind` is raised, updated, ended, reviewed, handled or test. `body` is filled when the message is first sent.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )  # delivery_of_subscription begins with it
    message = models.UUIDField()
    kind = models.CharField(_("kind"), max_length=64)
    event_id = models.UUIDField(null=True, blank=True, db_index=True)
    body = models.JSONField(null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=DeliveryState.choices, default=DeliveryState.QUEUED
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    due_at = models.DateTimeField(_("next attempt"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = OfSubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(
                fields=["subscription", "due_at"],
                condition=models.Q(state__in=["queued", "retrying"]),
                name="delivery_due",
            ),
            models.Index(fields=["subscription", "-id"], name="delivery_of_subscription"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class Attempt(models.Model):
    """推送记录: one try. The receiver's answer is capped at 1 KB and never kept for addresses not on the list."""

    id = models.UUIDField(primary_key=True, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField(_("time"))
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    answer = models.CharField(max_length=1024, blank=True)

    objects = OfDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
