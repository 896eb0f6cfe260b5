"""Pages of the analysis room."""
