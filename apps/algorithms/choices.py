"""Closed lists of the algorithms room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class VersionState(TextChoices):
    """Life of an uploaded package."""

    UPLOADED = "uploaded", _("Uploaded")
    CHECKING = "checking", _("Checking")
    READY = "ready", _("Ready")
    REJECTED = "rejected", _("Rejected")


class Level(TextChoices):
    """Urgency of an event type."""

    GENERAL = "general", _("General")
    URGENT = "urgent", _("Urgent")


class ReviewPolicy(TextChoices):
    """When an event of the type is pushed."""

    REVIEW_FIRST = "review_first", _("Review before push")
    DIRECT = "direct", _("Push without review")
    SAMPLED = "sampled", _("Sampled review")


class MappingState(TextChoices):
    """A package may propose, an operator accepts."""

    PROPOSED = "proposed", _("Proposed")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")


#: The sentences of the package check, stored in reports as English and translated when shown.
CHECK_WORDS = (
    gettext_noop("Only plain files"),
    gettext_noop("Pack the files themselves, no links."),
    gettext_noop("No code and no pickles"),
    gettext_noop("Remove scripts and libraries; export the model to ONNX instead of a pickle."),
    gettext_noop("algorithm.yaml follows vantage.package/v1"),
    gettext_noop("Correct the named places."),
    gettext_noop("Model files are there and match their SHA-256"),
    gettext_noop("Pack the file again, or write its SHA-256 into algorithm.yaml."),
    gettext_noop("ONNX: no foreign files, no unknown operators"),
    gettext_noop("Export the model again with its weights inside and standard operators only."),
    gettext_noop("samples/expected.json is complete"),
    gettext_noop("Add pictures and what the model finds in them."),
    gettext_noop("The model opens within memory and time"),
    gettext_noop("Try the file in ONNX Runtime; make the model smaller."),
    gettext_noop("Input and outputs fit the manifest"),
    gettext_noop("Correct input size, decoder or labels in algorithm.yaml."),
    gettext_noop("Every sample gives what is expected (IoU ≥ 0.9, score ± 0.02)"),
    gettext_noop("Check colour order, scale, mean and letterbox of the input, or renew expected.json."),
    gettext_noop("not needed for this runtime"),
)
