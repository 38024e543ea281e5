"""What goes wrong is told in a sentence with what to do about it: no traceback, an exit code, nothing lost."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.study import StudyError, load_study
from coopgym.corpus import CorpusError, load_corpus
from coopgym.corpus.shards import listed_files
from tests.benchmarks.report_corpora import scripted, written

GAME = "TrustDilemma-v1"
HEAD = 'name = "x"\nseeds = [1]\nrewards = ["private"]\n'
BLOCK = f'[[blocks]]\ngames = ["{GAME}"]\nparameters = {{ max_steps = 3 }}\nagents = ["TitForTat"]\n'
HUGE = "1" + "0" * 400


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "120"})


def advised(result: Result) -> str:
    """The output of a command that refused in a sentence."""
    assert result.exit_code in (1, 2), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    return result.output


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tiny.toml").write_text(HEAD + BLOCK)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


LINES = {
    "run tiny.toml --out file": "a folder is needed there",
    "run tiny.toml --out file/deeper": "a folder is needed on the way",
    "run tiny.toml --gpus-per-job nan": "expected a positive share of a GPU",
    "run tiny.toml --gpus-per-job inf": "expected a positive share of a GPU",
    "run tiny.toml --gpus-per-job -1": "expected a positive share of a GPU",
    "run tiny.toml --gpus-per-job 0": "expected a positive share of a GPU",
    "run tiny.toml --device tpu": "expected cpu, cuda",
    "run tiny.toml --workers -1": "--workers",
    "run tiny.toml --only [": "matches none of the runs",
    "run tiny.toml --agent [/b]": "[/b]",
    "run file": "not valid TOML",
    "run empty": "expected a study in TOML",
    "run absent.toml": "unknown study",
    "run": "STUDY",
    f"games {GAME}x": f"did you mean '{GAME}'",
    "games [/b]": "[/b]",
    "solve [/b]": "[/b]",
    "plan [link=x]y": "[link=x]y",
    f"solve {GAME} --set max_steps=10000000000000": "expected at most 100,000,000",
    f"plan {GAME} --set max_steps=10000000000000": "expected at most 100,000,000",
    f"solve {GAME} --set max_steps={HUGE}": "expected",
    f"solve {GAME} --set max_steps=1e400": "expected",
    f"solve {GAME} --set max_steps": "expected name=value",
    f"solve {GAME} --set max_steps={'[' * 3000}": "is not a TOML value",
    f"solve {GAME} --set gama=1": "did you mean 'gamma'",
    f"solve {GAME} --reward privat": "did you mean 'private'",
    f"solve {GAME} -o file": "file",
    f"plan {GAME} -o file": "file",
    "solve PublicGoods-v0 --set n_agents=1000000000": "expected at most 10,000",
    f"train {GAME} --agent IPO": "did you mean",
    f"train {GAME} --agent IPPO --set game.max_steps=10000000000000": "expected at most 100,000,000",
    f"train {GAME} --agent IPPO --steps 0": "--steps",
    f"tournament {GAME} --agent [a]": "[a]",
    f"tournament {GAME} --seeds 0": "--seeds",
    f"play {GAME} --seat 9": "seats 0 to 1",
    "exploit file": "file",
    "exploit absent": "absent",
    "report file": "file",
    "report empty": "empty",
    "data show empty": "empty",
    "data verify absent": "absent",
    "data export absent -o x.csv": "absent",
    "data release empty --out out": "empty",
    "bench C999": "unknown ratios C999",
}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:50])
def test_a_wrong_command_line_ends_in_advice(line: str, folder: Path) -> None:
    output = advised(call(*line.split()))
    assert LINES[line] in " ".join(output.split())
    assert (folder / "file").read_text() == "mine"


STUDIES = {
    "number for games": (HEAD + "[[blocks]]\ngames = 5\n", r"blocks\[0\]\.games: got 5; expected ids of games"),
    "date for games": (HEAD + "[[blocks]]\ngames = 2030-01-02\n", r"blocks\[0\]\.games: got datetime.date"),
    "lists for games": (HEAD + "[[blocks]]\ngames = [[1]]\n", r"expected its id, such as"),
    "huge seed": (f'name = "x"\nseeds = [{HUGE}]\n' + BLOCK, r"seeds\[0\] = 10+…0+: "),
    "huge mutuality": (f'name = "x"\nmutuality = [{HUGE}]\n' + BLOCK, "mutuality"),
    "huge parameter": (HEAD + BLOCK.replace("= 3", f"= {HUGE}"), "max_steps=10.*expected"),
    "more digits than are read": (f'name = "x"\nseeds = [{"9" * 5000}]\n' + BLOCK, "not valid TOML"),
    "bits beyond digits": (f'name = "x"\nseeds = [0x{"f" * 5000}]\n' + BLOCK, r"seeds\[0\]"),
    "deep lists": (f'name = "x"\nseeds = {"[" * 5000}{"]" * 5000}\n', "too deep inside each other"),
    "date for a name": ("name = 2030-01-02\n" + BLOCK, "name = .*string"),
    "text for blocks": ('name = "x"\nblocks = "all"\n', "blocks = 'all'"),
    "long text": (f'name = "{"/" * 10_000}"\n' + BLOCK, "name = '/+"),
}


@pytest.mark.parametrize("name", STUDIES)
def test_an_odd_study_is_refused_in_short_sentences(name: str, tmp_path: Path) -> None:
    text, message = STUDIES[name]
    (tmp_path / "odd.toml").write_text(text)
    with pytest.raises(StudyError, match=message) as caught:
        load_study(str(tmp_path / "odd.toml"))
    for line in str(caught.value).splitlines():
        assert len(line.removeprefix(str(tmp_path))) < 500


def test_a_byte_order_mark_is_no_part_of_a_study(tmp_path: Path) -> None:
    (tmp_path / "marked.toml").write_text("\ufeff" + HEAD + BLOCK, encoding="utf-8")
    assert load_study(str(tmp_path / "marked.toml")).name == "x"


def test_all_faults_of_a_study_are_told_at_once(tmp_path: Path) -> None:
    blocks = """
sed = [1]
episodes = 0
[[blocks]]
games = ["TrustDilema-v1", "SLDC-v1"]
agents = ["TitForTatt", "Randm"]
agnts = []
"""
    (tmp_path / "wrong.toml").write_text('name = "x"' + blocks)
    with pytest.raises(StudyError) as caught:
        load_study(str(tmp_path / "wrong.toml"))
    for part in ("'sed'", "episodes = 0", "'TrustDilema-v1'", "'SLDC-v1'", "'TitForTatt'", "'Randm'", "'agnts'"):
        assert part in str(caught.value)


def test_of_many_faults_the_first_twenty_are_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(f'name = "x"\nseeds = {[-1] * 50}\n' + BLOCK)
    with pytest.raises(StudyError) as caught:
        load_study(str(tmp_path / "wrong.toml"))
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1].endswith("30 more faults; mend these first")


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("fault", "advice"), [(errno.ENOSPC, "free some space"), (errno.EROFS, "that can be written to")]
)
def test_a_disk_that_takes_no_more_loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: int, advice: str
) -> None:
    assert call("run", "tiny.toml", "--out", "out", "--workers", "0").exit_code == 0
    (folder / "tiny.toml").write_text(HEAD + BLOCK.replace('"TitForTat"', '"TitForTat", "Random"'))
    synced = os.fsync

    def full(descriptor: int) -> None:
        synced(descriptor)
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert advice in advised(call("run", "tiny.toml", "--out", "out", "--workers", "0"))
    assert len(load_corpus("out").runs) == 1
    again = call("run", "tiny.toml", "--out", "out", "--workers", "0")
    assert again.exit_code == 0
    assert "1 runs computed, 1 already there" in again.output


@pytest.mark.parametrize("path", [5, None, ["runs"]])
def test_a_croissant_file_names_its_files_in_text(tmp_path: Path, path: object) -> None:
    written(tmp_path, {"runs": [*scripted()][:1]})
    described = {"distribution": [{"@type": "cr:FileObject", "contentUrl": path}]}
    (tmp_path / "croissant.json").write_text(json.dumps(described))
    with pytest.raises(CorpusError, match=r"contentUrl|not a Croissant file"):
        listed_files(tmp_path)
    assert "croissant.json" in advised(call("data", "verify", str(tmp_path)))
