"""The engine's core: a frame and its executions in, one result per execution out; the model runs once."""

from workers.vision.inference.engine import Engine, EngineLimits, FrameRef
from workers.vision.inference.spec import BadSpec, ExecutionSpec, compile_spec

__all__ = ["BadSpec", "Engine", "EngineLimits", "ExecutionSpec", "FrameRef", "compile_spec"]
