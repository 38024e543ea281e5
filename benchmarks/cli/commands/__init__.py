"""The commands of ``coopgym``, a module each: what a user types goes in, the harness does the work.

They import what they work with inside their functions, so that ``--help`` answers at once.
"""
