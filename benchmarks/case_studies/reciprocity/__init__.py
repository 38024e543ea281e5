"""The App Store: a platform and developers who answer each other."""
