"""The command line ``coopgym``."""
