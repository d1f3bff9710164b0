import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from normscope.errors import UsageError
from normscope.experiment_files import known
from normscope.report import main
from normscope.reported import report
from tests.fabricated import EXPERIMENT, arms, fabricate

FOLDER = "seminar/bn_vs_no_bn"


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def quick(monkeypatch):
    """Pictures are drawn elsewhere; here a file stands for each."""
    monkeypatch.setattr("normscope.figures.look.save", lambda figure, path: path.write_bytes(b"png"))


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_report_draws_the_figure_and_writes_the_verdicts_beside_it(tmp_path, capsys):
    arms(tmp_path, range(5))
    assert main([EXPERIMENT, "--outputs", str(tmp_path)]) == 0
    assert files(tmp_path / FOLDER) == ["bn_vs_no_bn.json", "bn_vs_no_bn.md", "bn_vs_no_bn.png"]
    shown = capsys.readouterr().out
    for words in (
        "seminar/bn_vs_no_bn: 10 runs",
        "K1 VGG11, default init, lr 0.01",
        "reproduced",
        "not run",
        "5 of 5",
        "laptop",
        f"Figure: {tmp_path / FOLDER / 'bn_vs_no_bn.png'}",
        f"tensorboard --logdir {tmp_path / FOLDER}",
    ):
        assert words in shown


@pytest.mark.usefixtures("quick")
def test_a_report_on_everything_writes_one_table_of_all_verdicts(tmp_path, capsys):
    arms(tmp_path, range(5))
    assert main(["--outputs", str(tmp_path)]) == 0
    page = (tmp_path / "verdicts.md").read_text()
    (row,) = [line for line in page.splitlines() if "| K1 |" in line]
    assert row.startswith("| [seminar/bn_vs_no_bn](seminar/bn_vs_no_bn/bn_vs_no_bn.md) | K1 | VGG11, default init")
    assert row.endswith("| 5 of 5 | laptop, vgg11 on sample, 400 steps | **reproduced** |")
    assert (tmp_path / "seminar/bn_vs_no_bn/bn_vs_no_bn.md").exists()
    assert f"All verdicts: {tmp_path / 'verdicts.md'}" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_the_json_holds_statistic_by_seed_threshold_and_paper_side_by_side(tmp_path):
    arms(tmp_path, range(5))
    report(EXPERIMENT, tmp_path, Console(quiet=True))
    found = json.loads((tmp_path / FOLDER / "bn_vs_no_bn.json").read_text())
    k1, k2, k4 = found["verdicts"]
    assert [k1["verdict"], k2["verdict"], k4["verdict"]] == ["reproduced", "undecided", "not run"]
    assert [seed for seed, _ in k1["effects"]] == [0, 1, 2, 3, 4]
    assert "stays within 0.02 of ln 10" in k1["statement"]
    assert "5,500 steps" in k1["paper"]
    assert k4["effect"] is None
    assert found["figures"] == ["bn_vs_no_bn.png"]
    assert found["runs"][0]["run"] == "vgg11-batch-laptop-seed0"
    assert len(found["runs"]) == 10


@pytest.mark.usefixtures("quick")
def test_the_figures_path_is_returned(tmp_path):
    arms(tmp_path, [0])
    assert report(EXPERIMENT, tmp_path, Console(quiet=True)) == tmp_path / FOLDER / "bn_vs_no_bn.png"


@pytest.mark.usefixtures("quick")
def test_each_scale_has_its_figure_and_its_verdicts(tmp_path, capsys):
    arms(tmp_path, range(5))
    report(EXPERIMENT, tmp_path)
    arms(tmp_path, range(5), choices={"scale": None})
    report(EXPERIMENT, tmp_path)
    names = ["bn_vs_no_bn-laptop.png", "bn_vs_no_bn-paper.png", "bn_vs_no_bn.json", "bn_vs_no_bn.md"]
    assert files(tmp_path / FOLDER) == names  # the figure of before the second scale is gone
    found = json.loads((tmp_path / FOLDER / "bn_vs_no_bn.json").read_text())["verdicts"]
    assert [(verdict["claim"], verdict["scale"]) for verdict in found][:2] == [("K1", "laptop"), ("K1", "paper")]
    assert "bn_vs_no_bn-paper.png" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_a_picture_that_the_user_put_beside_the_figure_stays(tmp_path):
    arms(tmp_path, [0])
    report(EXPERIMENT, tmp_path)
    (tmp_path / FOLDER / "bn_vs_no_bn_before.png").write_bytes(b"mine")
    report(EXPERIMENT, tmp_path)
    assert (tmp_path / FOLDER / "bn_vs_no_bn_before.png").read_bytes() == b"mine"


@pytest.mark.usefixtures("quick")
def test_each_data_set_of_a_scale_has_its_figure(tmp_path):
    arms(tmp_path, [0])
    for norm in ("none", "batch"):
        fabricate(tmp_path, norm, 0, name=f"real-{norm}", choices={"dataset": "cifar10"})
    report(EXPERIMENT, tmp_path, Console(quiet=True))
    pictures = [name for name in files(tmp_path / FOLDER) if name.endswith("png")]
    assert pictures == ["bn_vs_no_bn-cifar10.png", "bn_vs_no_bn-sample.png"]


@pytest.mark.usefixtures("quick")
def test_without_a_name_every_experiment_with_runs_is_reported(tmp_path, capsys):
    arms(tmp_path, [0])
    fabricate(tmp_path, "none", 0, experiment="mine/other")
    fabricate(tmp_path, "none", 0, experiment=None)
    assert main(["--outputs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "seminar/bn_vs_no_bn: 2 runs" in shown
    assert "mine/other: 1 run" in shown
    assert "mine/other has no figure of its own" in shown


def test_no_runs_say_what_was_looked_for_and_how_to_make_them(tmp_path, capsys):
    assert main([EXPERIMENT, "--outputs", str(tmp_path / "nowhere")]) == 1
    error = capsys.readouterr().err
    assert f"{tmp_path / 'nowhere'} holds no runs of seminar/bn_vs_no_bn" in error
    assert "normscope experiment=seminar/bn_vs_no_bn scale=laptop dataset=sample" in error
    assert "Traceback" not in error


def test_no_runs_at_all_say_so(tmp_path, capsys):
    fabricate(tmp_path, "none", 0, experiment=None)
    assert main(["--outputs", str(tmp_path)]) == 1
    assert f"{tmp_path} holds no runs of any experiment" in capsys.readouterr().err


def test_an_unknown_experiment_lists_those_known(tmp_path, capsys):
    assert main(["seminar/bn", "--outputs", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "'seminar/bn' is neither a folder nor an experiment; those known are " in error
    assert "seminar/bn_vs_no_bn" in error


@pytest.mark.usefixtures("quick")
def test_one_mistaken_name_does_not_lose_the_other_report(tmp_path, capsys):
    arms(tmp_path, [0])
    assert main(["nothing", EXPERIMENT, "--outputs", str(tmp_path)]) == 1
    assert (tmp_path / FOLDER / "bn_vs_no_bn.png").exists()
    assert "'nothing' is neither a folder nor an experiment" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_a_damaged_search_does_not_lose_the_other_reports(tmp_path, capsys):
    arms(tmp_path, [0])
    (tmp_path / "search" / "mine").mkdir(parents=True)
    (tmp_path / "search" / "mine" / "search.yaml").write_text("space: [")
    assert main(["--outputs", str(tmp_path)]) == 1
    assert (tmp_path / FOLDER / "bn_vs_no_bn.png").exists()
    assert "search.yaml cannot be read" in capsys.readouterr().err


def test_a_name_cannot_lead_out_of_the_folder(tmp_path):
    with pytest.raises(UsageError, match="neither a folder nor an experiment"):
        report("../tests/fabricated", tmp_path)


def test_runs_that_have_not_ended_are_listed_and_not_judged(tmp_path, capsys):
    fabricate(tmp_path, "none", 0, status="interrupted")
    assert main([EXPERIMENT, "--outputs", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert "interrupted: stopped" in shown.out
    assert "no run has ended (1 begun); repeat the command that began them" in shown.err


@pytest.mark.usefixtures("quick")
def test_a_broken_run_folder_is_named_and_left_out(tmp_path, capsys):
    arms(tmp_path, [0])
    broken = fabricate(tmp_path, "none", 1)
    (broken / "summary.json").write_text("{")
    assert main([EXPERIMENT, "--outputs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"left out {broken}" in shown
    assert "2 runs" in shown


def test_a_damaged_series_ends_in_one_message(tmp_path, capsys):
    arms(tmp_path, [0])
    path = tmp_path / FOLDER / "vgg11-none-laptop-seed0" / "series.csv"
    path.write_text("step,name,value\n0,train/loss,x\n5,train/loss,2\n")
    assert main([EXPERIMENT, "--outputs", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert f"{path}, line 2" in error
    assert "Traceback" not in error


def test_a_folder_that_cannot_be_written_ends_in_one_message(tmp_path, capsys, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    arms(tmp_path, [0])
    monkeypatch.setattr("normscope.figures.look.save", refuse)
    assert main([EXPERIMENT, "--outputs", str(tmp_path)]) == 1
    assert "cannot be written: Permission denied" in capsys.readouterr().err


def test_known_experiments_include_the_flagship():
    assert EXPERIMENT in known()


def test_errors_answer_without_pytorch(tmp_path):
    code = (
        "import sys; from normscope.report import main; status = main(['seminar/bn_vs_no_bn'])\n"
        "assert not {'torch', 'matplotlib', 'hydra', 'tensorboard'} & set(sys.modules), sorted(sys.modules)\n"
        "sys.exit(status)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("normscope-report: ")
