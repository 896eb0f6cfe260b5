"""Closed lists of the dispatch room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class UnitKind(TextChoices):
    """What a compute unit is a share of."""

    CPU = "cpu", _("CPU")
    CUDA = "cuda", _("CUDA GPU")
