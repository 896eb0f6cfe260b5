"""The soak: the whole road under a random nemesis, with the checker's verdict and the slopes at its end."""
