"""Systems that have no ``fcntl`` and open no folders, as Windows is, run studies all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coopgym.corpus import load_corpus
from coopgym.corpus.writer import write_atomically

WITHOUT_FCNTL = "import sys; sys.modules['fcntl'] = None\n"
STUDY = """
name = "tiny"
seeds = [1]
[[blocks]]
games = ["TrustDilemma-v1"]
parameters = { max_steps = 2 }
agents = ["TitForTat"]
"""


def without_fcntl(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_FCNTL + program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_study_runs_without_fcntl(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(STUDY)
    program = "from coopgym.benchmarks.cli.main import app; app(['run', 'tiny.toml', '--out', 'out', '--workers', '0'])"
    done = without_fcntl(program, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(load_corpus(tmp_path / "out").runs) == 3  # one in every reward mode


def test_a_second_writer_is_refused_without_fcntl(tmp_path: Path) -> None:
    done = without_fcntl(
        "from pathlib import Path; from coopgym.benchmarks.execute.store import FolderInUseError, lock_folder\n"
        "with lock_folder(Path()):\n"
        "    try:\n"
        "        with lock_folder(Path()): print('entered')\n"
        "    except FolderInUseError as error: print(error)\n"
        "with lock_folder(Path()): print('free again')\n",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    refused, free = done.stdout.splitlines()
    assert "is writing there; wait for it, or choose another folder" in refused
    assert free == "free again"


def test_files_are_written_where_folders_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def files_only(path: str, *arguments: int) -> int:
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments)

    monkeypatch.setattr(os, "open", files_only)
    write_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"
