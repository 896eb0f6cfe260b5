"""Where pictures come from."""

from apps.devices.models.access import CameraAccess, CameraGrant, DirectoryGrant, RegionGrant
from apps.devices.models.camera import Camera, CameraIdentity, Device, Preset, SourcePlatform, Stream
from apps.devices.models.capture import Capture
from apps.devices.models.catalogue import (
    CameraTag,
    Directory,
    DirectoryGroupObjectPermission,
    DirectoryUserObjectPermission,
    PlaceType,
    Region,
    Tag,
    TagTree,
)
from apps.devices.models.health import HealthFinding
from apps.devices.models.looking import OddLooking
from apps.devices.models.retention import DeletionRecord, MediaLock, RetentionRule
from apps.devices.models.storage import StorageFinding

__all__ = [
    "Camera",
    "CameraAccess",
    "CameraGrant",
    "CameraIdentity",
    "CameraTag",
    "Capture",
    "DeletionRecord",
    "Device",
    "Directory",
    "DirectoryGrant",
    "DirectoryGroupObjectPermission",
    "DirectoryUserObjectPermission",
    "HealthFinding",
    "MediaLock",
    "OddLooking",
    "PlaceType",
    "Preset",
    "Region",
    "RegionGrant",
    "RetentionRule",
    "SourcePlatform",
    "StorageFinding",
    "Stream",
    "Tag",
    "TagTree",
]
