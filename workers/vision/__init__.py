"""The pure vision library: sources, keyframes, runtimes, decoders, rules. No Django, no Celery."""
