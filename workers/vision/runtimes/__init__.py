"""Running models: providers, sessions, checksums, preparation of the input, and a cache bounded by memory."""

import os

# ONNX Runtime ≥ 1.29 reports model names and more to its vendor and leaves an id under HOME unless this is set
# before it is loaded. A city's cameras are nobody else's business, so no setting turns it on again.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
