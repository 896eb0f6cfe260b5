"""The strategy engine: pure, no web framework, no database, no clock but the frame's."""
