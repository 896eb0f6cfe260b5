"""The doctor's looks: each answers with findings, none raises."""

from portal.launcher.diagnosis.finding import Finding

__all__ = ["Finding"]
