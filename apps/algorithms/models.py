"""Packages, algorithms and event types."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Grant, Organisation, User
from apps.algorithms.choices import Level, MappingState, ReviewPolicy, VersionState
from apps.algorithms.querysets import PackageQuerySet, ShelfQuerySet
from apps.core.models import IdModel, SealedQuerySet, SealedRow, StampedModel


class AlgorithmPackage(StampedModel):
    """算法包: one immutable file for one computing platform; `fingerprint` is its identity (1-domain §5)."""

    fingerprint = models.CharField(_("fingerprint"), max_length=64, unique=True)
    platform = models.CharField(_("platform"), max_length=32)
    runtime = models.CharField(_("runtime"), max_length=32)
    manifest = models.JSONField(default=dict)
    path = models.CharField(max_length=300, blank=True)
    size = models.BigIntegerField(default=0)
    state = models.CharField(
        _("state"), max_length=16, choices=VersionState.choices, default=VersionState.UPLOADED
    )
    report = models.JSONField(_("report"), default=dict)
    uploaded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="packages")
    file_name = models.CharField(max_length=200, blank=True)

    objects = PackageQuerySet.as_manager()

    class Meta:
        verbose_name = _("algorithm package")
        verbose_name_plural = _("algorithm packages")

    def __str__(self) -> str:
        return f"{self.file_name or self.platform} {self.fingerprint[:12]}"


class Algorithm(StampedModel):
    """算法: a slug unique in the warehouse."""

    slug = models.SlugField(_("code"), max_length=64, unique=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100)
    vendor = models.CharField(_("vendor"), max_length=100, blank=True)
    industries = models.JSONField(default=list)
    targets = models.JSONField(default=list)
    places = models.JSONField(default=list)
    task = models.CharField(max_length=32, default="detect")

    objects = ShelfQuerySet.as_manager()

    class Meta:
        verbose_name = _("algorithm")
        verbose_name_plural = _("algorithms")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        from django.utils.translation import get_language

        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class AlgorithmVersion(StampedModel):
    """算法版本: shelf, licence and detection items belong to it; it lives in one or more packages."""

    algorithm = models.ForeignKey(Algorithm, on_delete=models.CASCADE, related_name="versions")
    version = models.CharField(_("version"), max_length=64)
    packages = models.ManyToManyField(AlgorithmPackage, related_name="versions")
    entry = models.JSONField(default=dict)
    parameters = models.JSONField(default=dict)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    statement = models.JSONField(default=dict)
    is_listed = models.BooleanField(_("on the shelf"), default=False)

    objects = ShelfQuerySet.as_manager()

    class Meta:
        verbose_name = _("algorithm version")
        verbose_name_plural = _("algorithm versions")
        constraints = [models.UniqueConstraint(fields=["algorithm", "version"], name="algorithm_version")]

    def __str__(self) -> str:
        return f"{self.algorithm} {self.version}"

    @property
    def statement_text(self) -> str:
        """What the maker says about the version, in the reader's language."""
        from django.utils.translation import get_language

        language = "en" if (get_language() or "").startswith("en") else "zh"
        return str(self.statement.get(language) or self.statement.get("zh") or "")


class EventType(StampedModel):
    """事件类型: the platform's own tree with level, review policy and validity."""

    code = models.CharField(_("code"), max_length=32, unique=True)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    name_zh = models.CharField(_("name in Chinese"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100)
    level = models.CharField(_("level"), max_length=8, choices=Level.choices, default=Level.GENERAL)
    review_policy = models.CharField(
        _("review policy"), max_length=16, choices=ReviewPolicy.choices, default=ReviewPolicy.REVIEW_FIRST
    )
    validity_minutes = models.PositiveIntegerField(_("validity in minutes"), default=1440)
    national_code = models.CharField(_("national code"), max_length=32, blank=True)

    objects = ShelfQuerySet.as_manager()

    class Meta:
        verbose_name = _("event type")
        verbose_name_plural = _("event types")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        from django.utils.translation import get_language

        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class DetectionItem(IdModel):
    """检出项: a code unique within its algorithm; unmapped it cannot raise an event."""

    algorithm = models.ForeignKey(Algorithm, on_delete=models.CASCADE, related_name="items")
    code = models.CharField(_("code"), max_length=64)
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)
    proposes = models.CharField(_("proposed event code"), max_length=32, blank=True)
    event_type = models.ForeignKey(
        EventType,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
        verbose_name=_("event type"),
    )
    mapping_state = models.CharField(
        _("mapping"), max_length=16, choices=MappingState.choices, default=MappingState.PROPOSED
    )

    objects = ShelfQuerySet.as_manager()

    class Meta:
        verbose_name = _("detection item")
        verbose_name_plural = _("detection items")
        constraints = [models.UniqueConstraint(fields=["algorithm", "code"], name="detection_item_code")]

    def __str__(self) -> str:
        return self.code


class EventCodeMap(IdModel):
    """事件码映射: (foreign system, foreign code) ↔ EventType."""

    system = models.CharField(_("system"), max_length=32)
    code = models.CharField(_("code"), max_length=64)
    event_type = models.ForeignKey(EventType, on_delete=models.CASCADE, related_name="code_maps")

    objects = ShelfQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "code"], name="event_code_map")]

    def __str__(self) -> str:
        return f"{self.system}:{self.code}"


class EventTypeGrant(SealedRow, IdModel):
    """A grant of `subscribe` covers these event types (value row)."""

    sealed_fields = ("grant_id", "event_type_id")

    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="event_type_links")
    event_type = models.ForeignKey(EventType, on_delete=models.CASCADE, related_name="grant_links")

    objects = SealedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "event_type"], name="event_type_grant_once")]
