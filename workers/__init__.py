"""What runs beside the web: the vision library and the processes of a node."""
