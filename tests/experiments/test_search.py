"""Random against grid, and coarse to fine: on trials whose scores are made up."""

import importlib.util
import itertools
import json
import math
import shutil

import pytest
import yaml

from normscope.places import EXPERIMENTS
from normscope.runs.reader import find_runs
from normscope.searches.grid_trials import grid_trials
from normscope.searches.random_trials import random_trials
from normscope.searches.record import Search, write_search
from normscope.searches.space import Interval

LR, DECAY = Interval("optimizer.lr", 1e-6, 10, log=True), Interval("decay", 1e-8, 1e-4, log=True)
NARROW = Interval("optimizer.lr", 1e-3, 1e-1, log=True)
SEEDS = range(5)


def experiment(name):
    """A file of experiments/search as a module."""
    spec = importlib.util.spec_from_file_location(name, EXPERIMENTS / "search" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bell(lr):
    """Learning rates around 10^-2 are good; above 1 training diverges."""
    return -math.inf if lr > 1 else 0.1 + 0.4 * math.exp(-((math.log10(lr) + 2) ** 2))


def make(root, name, method, seed, space, count, score=bell, bonus=0.0):
    """A search in its folder, each trial scored by its learning rate."""
    config = {"seed": seed, "steps": 40, "dataset": {"train_size": 5000, "validation": 1000}}
    folder = root / name / f"{method}-seed{seed}-{space[0].low:g}"
    write_search(folder, Search(method, "validation/accuracy", count, 1, seed, tuple(space), (), config))
    drawn = grid_trials(space, count) if method == "grid" else random_trials(space, count, seed)
    for number, trial in enumerate(drawn):
        found = score(float(trial["optimizer.lr"]))
        place = folder / str(number)
        place.mkdir()
        own = config | {"optimizer": {"lr": float(trial["optimizer.lr"])}, "decay": float(trial.get("decay", 0))}
        choices = {"experiment": f"search/{name}", "model": "mlp", "dataset": "sample", "scale": "laptop"}
        (place / "config.yaml").write_text(yaml.safe_dump(own | {"choices": choices}))
        ended = math.isfinite(found)
        metrics = {"validation/accuracy": found + bonus} if ended else {}
        (place / "summary.json").write_text(
            json.dumps({"status": "finished" if ended else "diverged", "metrics": metrics})
        )


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("compared")
    for seed in SEEDS:
        for method in ("grid", "random"):
            make(tmp_path, "random_against_grid", method, seed, [LR, DECAY], 25)
    return find_runs(tmp_path)


@pytest.fixture(scope="module")
def rounds(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("rounds")
    for seed in SEEDS:
        make(tmp_path, "coarse_to_fine", "random", seed, [LR], 30)
        make(tmp_path, "coarse_to_fine", "random", seed, [NARROW], 30, bonus=0.05)
    return find_runs(tmp_path)


def test_random_search_is_judged_against_the_grid_of_its_seed(compared):
    first, second = experiment("random_against_grid").claims(compared)
    assert (first.claim, first.n, second.claim, second.n) == ("RG1", 5, "RG2", 5)
    grid = max(map(bell, (1e-6, 10**-4.25, 10**-2.5, 10**-0.75)))
    for (_, gain), seed in zip(first.effects, SEEDS, strict=True):
        best = max(bell(float(trial["optimizer.lr"])) for trial in random_trials([LR, DECAY], 25, seed))
        assert gain == pytest.approx(100 * (best - grid), abs=0.1)  # learning rates have four digits
    assert second.verdict == "reproduced"  # the decay has no influence


def test_searches_of_different_sizes_are_no_pair(tmp_path):
    make(tmp_path, "random_against_grid", "grid", 0, [LR, DECAY], 25)
    make(tmp_path, "random_against_grid", "random", 0, [LR, DECAY], 30)
    assert {verdict.verdict for verdict in experiment("random_against_grid").claims(find_runs(tmp_path))} == {"not run"}


@pytest.mark.parametrize("name", ["random_against_grid", "coarse_to_fine"])
def test_a_search_that_is_not_over_is_no_pair(tmp_path, name):
    """Of both searches of every seed five trials were made, the sixth was interrupted, and the rest is to come."""
    for seed in SEEDS:
        make(tmp_path, name, "grid" if name == "random_against_grid" else "random", seed, [LR, DECAY], 25)
        make(tmp_path, name, "random", seed, [LR if name == "random_against_grid" else NARROW, DECAY], 25)
    for trial in tmp_path.glob("*/*/*/"):
        if int(trial.name) == 5:
            (trial / "summary.json").write_text(json.dumps({"status": "interrupted", "metrics": {}}))
        if int(trial.name) > 5:
            shutil.rmtree(trial)
    found = experiment(name).claims(find_runs(tmp_path))
    assert {verdict.verdict for verdict in found} == {"not run"}
    assert "seed 4: 5 of 25 trials" in found[0].note


def test_the_expected_best_of_k_is_the_mean_over_all_ways_to_draw_them():
    scores = [3.0, 1.0, 4.0, 1.0, 5.0]
    for k, found in enumerate(experiment("random_against_grid").expected_best(scores), start=1):
        draws = [max(draw) for draw in itertools.combinations(scores, k)]
        assert found == pytest.approx(sum(draws) / len(draws))


def test_the_second_round_is_compared_with_the_first(rounds):
    inside, gain, powers = experiment("coarse_to_fine").claims(rounds)
    assert (inside.verdict, gain.verdict, powers.verdict) == ("reproduced", "reproduced", "reproduced")
    assert gain.effect == pytest.approx(5, abs=2)  # the bonus, and a little of the denser draw
    assert 0.3 < inside.effect < 0.5  # 10^-2 is four of seven powers of ten above the lower end


def test_a_first_round_alone_is_drawn_and_not_judged(tmp_path):
    make(tmp_path, "coarse_to_fine", "random", 0, [LR], 30)
    module, runs = experiment("coarse_to_fine"), find_runs(tmp_path)
    assert {verdict.verdict for verdict in module.claims(runs)} == {"not run"}
    assert "not made yet" in module.plot(runs).axes[1].get_title(loc="left")


def test_the_searches_are_drawn(compared):
    figure = experiment("random_against_grid").plot(compared)
    assert figure.axes[0].get_title(loc="left") == "Learning rates tried: 5 by grid, 25 at random"


def test_the_rounds_are_drawn(rounds):
    figure = experiment("coarse_to_fine").plot(rounds)
    assert [axis.get_title(loc="left").partition(":")[0] for axis in figure.axes] == ["First round", "Second round"]
