"""Import paths: `recordings` in this folder for tests of every package, and the packages themselves.

Folders here are named like the packages they test, so that the repository has to be on the path as well: a package is
preferred to a folder without ``__init__.py``.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
