"""What every Celery worker of ours does beside its tasks: end in time, notice when it is no longer fed, and serve
the queues that are only its own."""
