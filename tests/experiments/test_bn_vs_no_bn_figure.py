import math

import numpy as np
import pytest

from normscope.errors import UsageError
from normscope.experiment_files import loaded, source_of
from normscope.figures.look import save
from normscope.runs.reader import find_runs
from tests.fabricated import add_histograms, arms, fabricate


def titles(figure):
    return [axis.get_title(loc="left") for axis in figure.axes]


def test_the_figure_shows_both_arms_and_says_what_they_do(tmp_path, experiment):
    bands = {"loss_landscape": (1.0, 1.25), "gradient_predictiveness": (0.5, 2.0), "gradient_norm": (4.0, 4.0)}
    arms(tmp_path, range(2), bands=bands)
    for folder in (tmp_path / "seminar" / "bn_vs_no_bn").glob("*seed0"):
        add_histograms(folder, np.linspace(0, 2, 65), np.arange(64, 0, -1))
    figure = experiment.plot(find_runs(tmp_path))
    found = titles(figure)
    assert len(found) == 6
    assert found[0] == "Without BatchNorm the loss stays at chance;\nwith BatchNorm it falls to 1.00"
    assert found[1] == "The test accuracy ends at\n10 % without BatchNorm, 60 % with"
    assert found[2] == "Along the gradient the loss varies by\n0.25 nats without BatchNorm, 0.25 with"
    assert found[4].startswith("Early layer: activations of size\n")
    for axis in figure.axes:
        words = " ".join(text.get_text() for text in axis.texts)
        assert "without\nBatchNorm" in words
        assert "with\nBatchNorm" in words
    caption = figure.subfigs[0]._supxlabel.get_text().replace("\n", " ")
    assert "Scale laptop: vgg11 on sample, 400 steps" in caption
    assert "n = 2 without BatchNorm, n = 2 with BatchNorm" in caption


def test_the_titles_follow_from_the_data(tmp_path, experiment):
    arms(tmp_path, [0], none={"loss": lambda step: 0.5 + 0 * step}, batch={"loss": lambda step: 2.303 + 0 * step})
    title = titles(experiment.plot(find_runs(tmp_path)))[0]
    assert title == "Without BatchNorm the loss falls to 0.50;\nwith BatchNorm it stays at chance"


def test_each_network_has_its_rows(tmp_path, experiment):
    arms(tmp_path, [0])
    arms(tmp_path, [0], choices={"model": "resnet50"})
    figure = experiment.plot(find_runs(tmp_path))
    assert len(figure.axes) == 12
    assert [part.get_suptitle() for part in figure.subfigs] == [
        "What BatchNorm changes: VGG11 on the built-in sample images",
        "What BatchNorm changes: ResNet-50 on the built-in sample images",
    ]


def test_the_published_values_are_drawn_beside_real_images_only(tmp_path, experiment):
    arms(tmp_path / "real", [0], choices={"dataset": "cifar10"})
    arms(tmp_path / "sample", [0])
    drawn = []
    for data in ("real", "sample"):
        axis = experiment.plot(find_runs(tmp_path / data)).axes[1]
        drawn.append(sum(line.get_linestyle() == "--" for line in axis.lines))
    assert drawn == [3, 1]


def test_settings_do_not_mix_in_a_figure(tmp_path, experiment):
    arms(tmp_path / "a", [0])
    arms(tmp_path / "b", range(3), optimizer={"lr": 0.1})
    figure = experiment.plot(find_runs(tmp_path))
    caption = figure.subfigs[0]._supxlabel.get_text().replace("\n", " ")
    assert "n = 1 without BatchNorm, n = 1 with BatchNorm" in caption  # the talk's own learning rate first
    assert "1 other setting not drawn" in caption


@pytest.mark.parametrize("status", ["finished", "diverged"])
def test_one_arm_one_seed_and_nothing_probed_can_be_drawn(tmp_path, experiment, status):
    fabricate(tmp_path, "batch", 7, steps=2, status=status)
    save(experiment.plot(find_runs(tmp_path)), tmp_path / "figure.png")


def test_what_is_not_finite_can_be_drawn(tmp_path, experiment):
    explodes = {"loss": lambda step: np.where(step > 50, np.nan, 2.3 + step), "status": "diverged"}
    bands = {"loss_landscape": (2.0, 1e14), "gradient_predictiveness": (1.0, math.inf)}
    arms(tmp_path, range(3), none=explodes, bands=bands)
    figure = experiment.plot(find_runs(tmp_path))
    save(figure, tmp_path / "figure.png")
    assert titles(figure)[0].startswith("Without BatchNorm the loss diverges")
    assert figure.axes[2].get_yscale() == "log"


def test_without_a_run_that_ended_there_is_no_figure(tmp_path, experiment):
    fabricate(tmp_path, "batch", 0, status="interrupted")
    with pytest.raises(UsageError, match="no run with model/norm=none or batch has ended"):
        experiment.plot(find_runs(tmp_path))


def test_half_finished_runs_are_not_drawn(tmp_path, experiment):
    arms(tmp_path, [0])
    fabricate(tmp_path, "none", 1, status="interrupted")
    caption = experiment.plot(find_runs(tmp_path)).subfigs[0]._supxlabel.get_text().replace("\n", " ")
    assert "n = 1 without BatchNorm, n = 1 with BatchNorm" in caption


def test_the_caption_of_both_initialisations_says_once_what_they_share(tmp_path):
    for init in ("default", "he_normal"):
        arms(tmp_path / init, [0, 1], choices={"init": init})
    figure = loaded(source_of("seminar/initialisation")).plot(find_runs(tmp_path))
    assert figure._supxlabel.get_text().replace("\n", " ") == (
        "Scale laptop: vgg11 on sample, 400 steps, width 0.25, momentum at lr 0.01, batches of 128; "
        "n = 2 without BatchNorm, n = 2 with BatchNorm."
    )
