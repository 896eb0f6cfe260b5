"""From detections to hits: one small registered file per kind of rule."""

from workers.vision.rules import each, intrusion, left_object, presence
from workers.vision.rules.base import RULE_PARAMETERS, Rule, RuleContext, SceneShapes, rules

__all__ = [
    "RULE_PARAMETERS",
    "Rule",
    "RuleContext",
    "SceneShapes",
    "each",
    "intrusion",
    "left_object",
    "presence",
    "rules",
]
