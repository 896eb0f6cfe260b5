"""Training of the demo's detector on rendered scenes."""
