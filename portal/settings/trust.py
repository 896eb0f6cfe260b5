"""What makes records, keys and ages trustworthy: the crypto profile, audit checkpoints, keeping times, odd looking."""

import os
from pathlib import Path

from portal.settings.environment import ROOT

_DATA = Path(os.environ.get("VANTAGE_DATA", ROOT / ".vantage")).absolute()

# default: AES-256-GCM and HMAC-SHA-256 · guomi: SM4-GCM and HMAC-SM3, and stored media are encrypted
VANTAGE_CRYPTO_PROFILE = os.environ.get("VANTAGE_CRYPTO_PROFILE", "default")

# Signed heads of the audit chain, one a line. Put it where the database's administrators cannot write.
VANTAGE_AUDIT_CHECKPOINTS = os.environ.get(
    "VANTAGE_AUDIT_CHECKPOINTS", str(_DATA / "audit" / "checkpoints.jsonl")
)

# Keeping times in days: (shortest allowed, longest allowed, kept unless a rule says otherwise). None: kept for ever.
VANTAGE_RETENTION: dict[str, tuple[int, int | None, int | None]] = {
    "clip": (30, 365, 30),
    "capture": (7, 90, 30),
    "clear_capture": (1, 30, 7),
    "event_picture": (30, 365, 90),
    "evidence": (180, None, None),
    "cover": (1, 365, 90),
    "event": (30, 1825, 180),
    "raw_event": (30, 730, 180),
    "trace": (30, 730, 180),
    "slot": (7, 180, 30),
    "attempt": (30, 730, 180),
    "delivery": (30, 730, 180),
    "audit": (184, None, None),
}

# Stored pictures older than this many hours, downloads and unmasked views ask for a purpose once per session.
VANTAGE_PURPOSE_HOURS = float(os.environ.get("VANTAGE_PURPOSE_HOURS", "24"))

# What is flagged to audit administrators, per person and day.
VANTAGE_ODD_LOOKING = {"same_camera": 40, "night_looks": 30, "bulk_cameras": 60, "bulk_pictures": 600}
VANTAGE_NIGHT_HOURS = (22, 6)
