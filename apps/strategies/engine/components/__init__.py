"""One small file per component, and `place` for those that ask whether something was here before."""
