"""Running models: providers, sessions, checksums, preparation of the input, and a cache bounded by memory."""
