"""What starts Vantage: the environment, the embedded services, the processes. Knows nothing of the rooms."""
