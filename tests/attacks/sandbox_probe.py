"""Runs confined: tries the Python statement it is given and says whether that worked."""

from __future__ import annotations

import json
import signal
import sys

from workers.vision.packages.sandbox import close_doors, confine

confine(sys.argv[1:])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
statement = json.load(sys.stdin)
sealed = close_doors()
try:
    exec(statement)
    worked = True
except (OSError, MemoryError):
    worked = False
print(json.dumps({"sealed": sealed, "worked": worked}))
