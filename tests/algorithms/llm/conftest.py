"""Tests in folders below find `parrot` beside this file."""
