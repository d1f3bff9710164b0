"""The practice list of Ioffe & Szegedy 2015: what its files change, and the verdict on runs for which it is known."""

import pytest

from normscope.composed import composed
from normscope.experiment_files import arms_of, drawn_as, loaded, source_of
from normscope.runs.dotted import flat
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

NAME = "ioffe_2015/practice_list"
TAKEN_BACK = {  # arm -> the settings that it has and the whole list has not
    "dropout": {"regularizer.dropout.architecture.dropout.p": 0.4},
    "full_l2": {"regularizer.l2.loss.strength": 5e-4},
    "slow_decay": {"schedule.final": 0.464},
    "full_distortion": {f"regularizer.colour_jitter.data.{what}": 0.5 for what in ("brightness", "contrast", "colour")},
}


def settings_of(arm, scale):
    config, choices = composed([f"experiment={NAME}/{arm}", f"scale={scale}"])
    return flat(config) | {key: value for key, value in choices.items() if key not in ("experiment", "regularizer")}


@pytest.mark.parametrize("scale", ["paper", "laptop"])
@pytest.mark.parametrize("arm", TAKEN_BACK)
def test_each_file_takes_back_one_entry_and_changes_nothing_else(arm, scale):
    whole, own = settings_of("whole_list", scale), settings_of(arm, scale)
    changed = {key: value for key, value in own.items() if whole.get(key) != value}
    assert whole.keys() <= own.keys()
    assert {key: value for key, value in changed.items() if not key.startswith("regularizer.dropout")} == {
        key: value for key, value in TAKEN_BACK[arm].items() if arm != "dropout"
    }
    assert all(own[key] == value for key, value in TAKEN_BACK[arm].items())


def test_the_decay_of_the_list_is_six_times_as_fast():
    """Exponents add: final^(1/6) after the run is where the list's rate is after a sixth of it."""
    whole, slow = (settings_of(arm, "paper")["schedule.final"] for arm in ("whole_list", "slow_decay"))
    assert slow == pytest.approx(whole ** (1 / 6), rel=1e-3)


def write(root, seeds, ends):
    """Runs of each arm that end at these accuracies."""
    for arm, end in ends.items():
        for seed in seeds:
            l2 = {"l2": {"loss": {"strength": 5e-4 if arm == "full_l2" else 1e-4}}}
            fabricate(
                root,
                "batch",
                seed,
                accuracy=lambda step, end=end: end + 0 * step,
                name=f"{arm}-{seed}",
                experiment=f"{NAME}/{arm}",
                schedule={"final": 0.464 if arm == "slow_decay" else 0.01},
                regularizer=l2 | ({"dropout": {"architecture": {"p": 0.4}}} if arm == "dropout" else {}),
            )


def only(root):
    (found,) = loaded(source_of(NAME)).claims(find_runs(root))
    return found


@pytest.mark.parametrize(
    ("whole", "full", "verdict"), [(0.71, 0.70, "reproduced"), (0.70, 0.71, "contradicted"), (0.7, 0.7, "undecided")]
)
def test_i9_asks_for_more_accuracy_with_less_penalty(tmp_path, whole, full, verdict):
    write(tmp_path, range(5), {"whole_list": whole, "full_l2": full, "dropout": 0.9})
    found = only(tmp_path)
    assert (found.claim, found.verdict, found.effect) == ("I9, L2", verdict, pytest.approx(100 * (whole - full)))


def test_runs_that_differ_in_more_than_the_list_are_not_compared(tmp_path):
    write(tmp_path, range(5), {"whole_list": 0.71})
    for folder in (tmp_path / NAME / "whole_list").iterdir():
        config = folder / "config.yaml"
        config.write_text(config.read_text().replace("lr: 0.01", "lr: 0.02"))
    write(tmp_path, range(5), {"full_l2": 0.70})
    found = loaded(source_of(NAME)).claims(find_runs(tmp_path))
    assert {(verdict.n, verdict.verdict) for verdict in found} == {(0, "undecided")}


def test_all_files_are_drawn_in_one_figure(tmp_path):
    module = loaded(source_of(NAME))
    assert {name.rpartition("/")[2] for name in arms_of(NAME)} == set(module.NAMES)
    assert drawn_as(f"{NAME}/slow_decay") == NAME
    write(tmp_path, range(2), {arm: 0.7 + place / 100 for place, arm in enumerate(module.NAMES)})
    _, ends = module.plot(find_runs(tmp_path)).axes
    assert [label.get_text() for label in ends.get_yticklabels()] == list(module.NAMES.values())
    assert "70.0 %" in [text.get_text() for text in ends.texts]
