"""The demo city: rendered street clips, their streamer, packages, catalogue and base map (no Django here)."""
