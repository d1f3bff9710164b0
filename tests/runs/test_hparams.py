"""A run is one row of the HPARAMS tab, and a sweep can be compared there."""

import pytest

from normscope.runs.reader import Run
from normscope.runs.writer import RunWriter


def write_run(folder, settings, status):
    writer = RunWriter(folder)
    writer.hparams(settings)
    writer.scalars(5, {"test/accuracy": 0.25})
    writer.close(status)


def test_runs_with_different_settings_share_the_hparams_tab(tmp_path, tensorboard):
    settings = {"optimizer.lr": 0.1, "nesterov": True, "dropout": None, "milestones": [1, 2], "choice/model": "vgg11"}
    write_run(tmp_path / "a", settings, "finished")
    write_run(tmp_path / "b", {"optimizer.lr": 0.2, "beta": 3}, "diverged")
    write_run(tmp_path / "c", {}, "interrupted")
    page = tensorboard(tmp_path)
    assert page.hparams_columns() == settings.keys() | {"beta"}
    rows = page.hparams()
    assert rows.keys() == {"a", "b", "c"} == set(page.runs())
    assert rows["a"]["hparams"] == {**settings, "nesterov": "true", "dropout": "null", "milestones": "[1, 2]"}
    assert {m["name"]["tag"]: m["value"] for m in rows["a"]["metricValues"]}["test/accuracy"] == 0.25
    statuses = {name: row["status"] for name, row in rows.items()}
    assert statuses == {"a": "STATUS_SUCCESS", "b": "STATUS_FAILURE", "c": "STATUS_UNKNOWN"}


@pytest.mark.parametrize(
    ("error", "status"), [(None, "SUCCESS"), (ZeroDivisionError, "FAILURE"), (KeyboardInterrupt, "UNKNOWN")]
)
def test_leaving_the_with_block_says_how_the_run_ended(tmp_path, tensorboard, error, status):
    def run():
        with RunWriter(tmp_path / "run") as writer:
            writer.hparams({"a": 1})
            writer.scalars(0, {"x": 1.0})
            if error:
                raise error

    if error:
        with pytest.raises(error):
            run()
    else:
        run()
    assert tensorboard(tmp_path).hparams()["run"]["status"] == f"STATUS_{status}"
    assert Run(tmp_path / "run", {}, {}, {}).series("x")[1].tolist() == [1.0]


def test_run_that_failed_and_went_on_to_its_end_has_succeeded(tmp_path, tensorboard):
    write_run(tmp_path / "run", {"lr": 0.1}, "failed")
    with RunWriter(tmp_path / "run", 6) as writer:
        writer.hparams({"lr": 0.1})
    (row,) = tensorboard(tmp_path).hparams().values()
    assert row["status"] == "STATUS_SUCCESS"
