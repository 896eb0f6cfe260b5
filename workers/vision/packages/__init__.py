"""Algorithm packages: unpacking, manifest, fingerprint and checks. Nothing here runs code from a package."""
