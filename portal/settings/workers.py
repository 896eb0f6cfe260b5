"""Where the processes of one node meet: frames in tmpfs, the engine's and the holder's Unix sockets."""

import hashlib
import os
import tempfile
from pathlib import Path

from portal.settings.environment import ROOT, flag, listed

_DATA = Path(os.environ.get("VANTAGE_DATA", ROOT / ".vantage")).absolute()
_MARK = hashlib.sha256(str(_DATA).encode()).hexdigest()[:10]
_RUN = Path(os.environ.get("VANTAGE_RUN", Path(tempfile.gettempdir()) / f"vantage-run-{os.getuid()}-{_MARK}"))
_SHM = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else _RUN  # noqa: S108 - the point is memory, folder is 0700

VANTAGE_RUN = _RUN
VANTAGE_NODE = os.environ.get("VANTAGE_NODE", "node-1")
VANTAGE_FRAMES = Path(os.environ.get("VANTAGE_FRAMES", _SHM / f"vantage-frames-{os.getuid()}-{_MARK}"))
VANTAGE_FRAMES_MB = int(os.environ.get("VANTAGE_FRAMES_MB", "512"))
# frames lent to other nodes through Redis, all together
VANTAGE_SHARED_FRAMES_MB = int(os.environ.get("VANTAGE_SHARED_FRAMES_MB", "64"))
# the writer runs on a machine that does not see the frames of the nodes: pictures of hits are lent to it
VANTAGE_LEND_HITS = flag("VANTAGE_LEND_HITS")
VANTAGE_ENGINE_SOCKET = str(_RUN / "engine.sock")
VANTAGE_LIVE_SOCKET = str(_RUN / "live.sock")
VANTAGE_ENGINE_THREADS = int(os.environ.get("VANTAGE_ENGINE_THREADS", str(os.cpu_count() or 2)))
# The stream holder is replaced by a successor when it is larger or older than this; 0 is never.
VANTAGE_STREAMS_MB = float(os.environ.get("VANTAGE_STREAMS_MB", "4096"))
VANTAGE_STREAMS_HOURS = float(os.environ.get("VANTAGE_STREAMS_HOURS", "24"))
# A worker is probed so often, and ends when it has taken nothing for so long.
VANTAGE_PROBE_SECONDS = float(os.environ.get("VANTAGE_PROBE_SECONDS", "10"))
VANTAGE_PROBE_LIMIT = float(os.environ.get("VANTAGE_PROBE_LIMIT", "60"))
VANTAGE_PACKAGES = _DATA / "packages"
# host:port pairs reachable although loopback: cameras and receivers of the demo and of tests.
VANTAGE_OUTBOUND_EXACT = listed("VANTAGE_OUTBOUND_EXACT")
# CIDR[:port[-port]] entries that the platform administrator opened for cameras and receivers.
VANTAGE_OUTBOUND_ALLOW = listed("VANTAGE_OUTBOUND_ALLOW")
# folders whose files may be used as video sources
VANTAGE_MEDIA_ROOTS = listed("VANTAGE_MEDIA_ROOTS")
VANTAGE_KEY_FILE = os.environ.get("VANTAGE_KEY_FILE", "")
