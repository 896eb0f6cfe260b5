"""Built-in algorithms that need no weights; each keeps a bounded state per execution inside the engine."""

from workers.vision.analysers import camera_health, intrusion, left_object
from workers.vision.analysers.base import Analyser, AnalyserSettings, analysers

__all__ = ["Analyser", "AnalyserSettings", "analysers", "camera_health", "intrusion", "left_object"]
