"""What the README and the pages of `docs` say in numbers, written from what it was measured with.

A block of a page stands between the marks ``<!-- written by python -m coopgym.benchmarks.documentation: NAME -->`` and
``<!-- end -->``. Its text is a function of released corpora, kept records and classes, in the modules of this package;
the command writes all blocks anew.
"""
