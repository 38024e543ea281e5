"""What a build takes from this folder into the wheel: a catalogue of all corpora, the small ones, what code reads."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

DATA = Path(__file__).parent
CATALOGUE = runpy.run_path(str(DATA.parent / "coopgym" / "corpus" / "catalogue.py"))
"""The module of the catalogue on its own: its package needs what is not installed during a build."""
READ_BY_CODE = ("strangers-v1",)
"""Folders that are no corpora and go into every wheel."""


class BuildWithCorpora(build_py):
    """Build the packages, then put the corpora beside the code that looks for them; an editable install uses these."""

    def run(self) -> None:
        """Build."""
        super().run()
        if not self.editable_mode:
            for made, source in self._packaged().items():
                Path(made).parent.mkdir(parents=True, exist_ok=True)
                if source:
                    shutil.copyfile(source, made)
                else:
                    CATALOGUE["write_catalogue"](DATA, Path(made))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return every file that is built."""
        outputs: list[str] = super().get_outputs(include_bytecode)
        return outputs + ([] if self.editable_mode else list(self._packaged()))

    def _packaged(self) -> dict[str, Path | None]:
        """Files in the making, and what each is copied from; the catalogue is written."""
        place = Path(self.build_lib) / "coopgym" / "corpus" / "packaged"
        small = [each.name for each in CATALOGUE["listings"](DATA) if each.size <= CATALOGUE["LARGEST_PACKAGED"]]
        sources = sorted(
            file for name in (*small, *READ_BY_CODE) for file in (DATA / name).rglob("[!.]*") if file.is_file()
        )
        copies: dict[str, Path | None] = {str(place / file.relative_to(DATA)): file for file in sources}
        return {str(place / CATALOGUE["CATALOGUE_FILE"]): None} | copies
