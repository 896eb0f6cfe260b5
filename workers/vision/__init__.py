"""The pure vision library: sources, keyframes, runtimes, decoders, rules. It knows no Django and no Celery."""
