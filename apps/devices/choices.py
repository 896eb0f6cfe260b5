"""Closed lists of the devices room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class SharingClass(TextChoices):
    """How a camera or directory may be shared; picks the approval flow."""

    UNCONDITIONAL = "unconditional", _("Shared unconditionally")
    CONDITIONAL = "conditional", _("Shared conditionally")
    NOT_SHARED = "not_shared", _("Not shared")


class DataClass(TextChoices):
    """Classification of the data a camera yields."""

    GENERAL = "general", _("General")
    IMPORTANT = "important", _("Important")
    CORE = "core", _("Core")


class CameraState(TextChoices):
    """Whether a camera delivers; the cause is beside it."""

    ONLINE = "online", _("Online")
    OFFLINE = "offline", _("Offline")
    DEGRADED = "degraded", _("Degraded")
    UNKNOWN = "unknown", _("Unknown")


class StreamRole(TextChoices):
    """Main stream for people, sub stream for analysis and walls."""

    MAIN = "main", _("Main stream")
    SUB = "sub", _("Sub stream")


class Transport(TextChoices):
    """How an RTSP stream is carried."""

    AUTO = "auto", _("Automatic")
    TCP = "tcp", _("TCP")
    UDP = "udp", _("UDP")


class CameraKind(TextChoices):
    """Shape of the device."""

    BULLET = "bullet", _("Bullet")
    DOME = "dome", _("Dome")
    PTZ = "ptz", _("PTZ")
    PANORAMIC = "panoramic", _("Panoramic")


class DirectoryKind(TextChoices):
    """Where a directory comes from."""

    SYNCED = "synced", _("Synchronised")
    OFFICIAL = "official", _("Official catalogue")
    OWN = "own", _("Own directory")


class IdentitySystem(TextChoices):
    """Coding systems of camera identities."""

    GB28181 = "gb28181", _("GB/T 28181")
    SELF = "self", _("Own code")
    FOREIGN = "foreign", _("Foreign system")


class HealthKind(TextChoices):
    """视频质量诊断 findings."""

    SIGNAL_LOST = "signal_lost", _("Signal lost")
    BLACK = "black", _("Black picture")
    BRIGHT = "bright", _("Too bright")
    FROZEN = "frozen", _("Picture frozen")
    OCCLUDED = "occluded", _("Occluded")
    BLURRED = "blurred", _("Blurred")
    COLOUR_CAST = "colour_cast", _("Colour cast")


class TagSource(TextChoices):
    """Who put a tag on a camera."""

    MANUAL = "manual", _("By hand")
    AI = "ai", _("By algorithm")
    IMPORT = "import", _("By import")


class MediaClass(TextChoices):
    """Media classes with their keeping times."""

    CLIP = "clip", _("Recording clip")
    COVER = "cover", _("Latest picture")
    CAPTURE = "capture", _("Capture")
    CLEAR_CAPTURE = "clear_capture", _("Capture without finding")
    EVENT_PICTURE = "event_picture", _("Event picture")
    EVIDENCE = "evidence", _("Evidence")


class MediaState(TextChoices):
    """Where the file of a capture is."""

    STORED = "stored", _("Stored")
    PENDING = "media_pending", _("Waiting to be stored")
    NOT_KEPT = "not_kept", _("Not kept: the storage was full")


class StorageLevel(TextChoices):
    """What has stopped because the disk under the media is filling; each includes the one before."""

    ENOUGH = "enough", _("Enough space")
    NO_CLIPS = "no_clips", _("Clips are no longer recorded")
    NO_SNAPSHOTS = "no_snapshots", _("Snapshots are no longer kept")
    FULL = "full", _("The disk is full")


class StorageFault(TextChoices):
    """What may be wrong with a machine's media storage; the worst last."""

    NO_CLIPS = "no_clips", _("Clips are no longer recorded")
    STORE_AWAY = "store_away", _("The object store does not answer")
    NO_SNAPSHOTS = "no_snapshots", _("Snapshots are no longer kept")
    FULL = "full", _("The disk is full")
    UNWRITABLE = "unwritable", _("The folder cannot be written")


class OddKind(TextChoices):
    """What was odd about a person's looking."""

    SAME_CAMERA = "same_camera", _("One camera again and again")
    NIGHT = "night", _("Many looks at night")
    BULK = "bulk", _("Very many cameras or pictures")


class Purpose(TextChoices):
    """Why somebody looks at stored pictures; given once per session."""

    EVENT = "event", _("Handling an event")
    CASE = "case", _("A case of an authority")
    COMPLAINT = "complaint", _("A complaint or request of a citizen")
    FAULT = "fault", _("Fault finding on a camera")
    AUDIT = "audit", _("Audit or inspection")
    OTHER = "other", _("Another reason")


#: What the ledger of looks shows: audit action → word.
LOOK_WORDS = {
    "camera.live": _("Watched live"),
    "picture.view": _("Looked at a picture"),
    "picture.download": _("Downloaded a picture"),
    "event.export": _("Exported events"),
}
