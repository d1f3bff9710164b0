"""Before the first trial: what a command asks for, and what is refused."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import open_dict

from normscope.composed import register
from normscope.errors import UsageError
from normscope.places import CONFIGS
from normscope.searches.record import write_search
from normscope.searches.space import Interval, Listed
from normscope.searching import checked_search
from tests.searches.test_record import leave, searched

LR = "optimizer.lr=tag(log,interval(1e-3,1))"
DATA = ["dataset=sample", "dataset.validation=20"]


def asked(*words, method="random"):
    """What `normscope search=METHOD WORDS` would search."""
    register()
    plain = [word for word in words if not any(sign in word.partition("=")[2] for sign in ",(")]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", [f"search={method}", *plain], return_hydra_config=True)
        with open_dict(config):
            config.hydra.overrides.task = [f"search={method}", *words]
        return checked_search(config, GlobalHydra.instance().config_loader())


def test_ranges_and_lists_are_read_in_hydras_notation():
    words = [
        LR,
        "model.hidden_layers=int(interval(1,4))",
        "optimizer.momentum=interval(0,0.9)",
        "model/norm=none,batch",
    ]
    search, cells = asked(*DATA, "model=mlp", *words, "search.trials=7")
    assert search.space == (
        Interval("optimizer.lr", 1e-3, 1, log=True),
        Interval("model.hidden_layers", 1, 4, whole=True),
        Interval("optimizer.momentum", 0, 0.9),
        Listed("model/norm", ("none", "batch")),
    )
    assert (search.method, search.trials, search.fixed) == ("random", 7, (*DATA, "model=mlp"))
    assert [cell.model.hidden_layers for cell in cells] == [1, 4]


def test_the_same_ranges_make_a_grid_and_its_trials_are_counted():
    search, _ = asked(*DATA, LR, "model/norm=none,batch", "search.trials=7", method="grid")
    assert search.trials == 6


def test_the_last_word_about_a_setting_counts():
    search, _ = asked(*DATA, LR, "optimizer.lr=interval(0.1,0.2)")
    assert search.space == (Interval("optimizer.lr", 0.1, 0.2),)


def coarse(folder):
    write_search(folder, searched(trials=3))
    for number, lr in enumerate((0.01, 0.02, 0.1)):
        leave(folder / str(number), lr, accuracy=0.9 - 0.1 * number)
    return f"search.within={folder}"


def test_a_finer_search_lies_where_the_best_of_the_coarse_one_are(tmp_path):
    search, cells = asked(*DATA, "model=mlp", coarse(tmp_path))
    (lr,) = search.space
    assert 1e-4 < lr.low < 0.01 < 0.1 < lr.high < 1
    assert "model/norm=batch" in search.fixed  # none of the best had another
    assert [cell.optimizer.lr for cell in cells] == [lr.low, lr.high]


def test_a_range_of_its_own_goes_before_what_the_coarse_search_found(tmp_path):
    search, _ = asked(*DATA, "model=mlp", coarse(tmp_path), LR)
    assert search.space == (Interval("optimizer.lr", 1e-3, 1, log=True),)


def test_a_best_value_on_the_border_of_the_coarse_search_is_refused(tmp_path):
    write_search(tmp_path, searched(trials=3))
    for number in range(3):
        leave(tmp_path / str(number), 0.9 - 0.001 * number)
    with pytest.raises(UsageError, match=r"search.within=.*: the best optimizer.lr .* lies at the upper end"):
        asked(*DATA, f"search.within={tmp_path}")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to search; give ranges or lists"),
        ([LR, "dataset.validation=0"], "no images are held out of training to choose by"),
        ([LR, "search.score=test/accuracy"], "the test set is for the chosen settings alone"),
        ([LR, "search.score=5"], "search.score=5: no such score; choose by one of validation/accuracy"),
        ([LR, "search.seed=abc"], "search.seed=abc: must be a whole number"),
        ([LR, "search.within=5"], "search.within=5: 5 holds no search"),
        (["optimizer.lr=glob(*)"], "optimizer.lr: no value is listed"),
        ([LR, "score_test=true"], "the trials of a search do not look at the test set"),
        ([LR, "search.folds=2"], "have no folds"),
        ([LR, "search.folds=0"], "search.folds=0: must be a whole number, at least 1"),
        ([LR, "search.trials=0"], "search.trials=0: must be a whole number, at least 1"),
        ([LR, "search.name=a/b"], "must be the name of a folder"),
        ([LR, "search.within=nowhere"], "nowhere holds no search"),
        (["search.trials=1,2"], "a search cannot choose how it is made"),
        (["seed=0,1"], "the best one is luck"),
        (["batch_size=range(4,16)"], r"give interval\(LOW,HIGH\), or a list"),
        (["optimizer.lr=tag(ln,interval(0.1,1))"], "the tag ln means nothing here"),
        (["optimizer.lr=interval(1,0.1)"], "must rise"),
        (["optimizer.lr=0.1,0.1"], "the value 0.1 is listed twice"),
        ([LR, "job=loss_surface"], "a search trains networks, and a job only reads them"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_search_is_refused(words, message):
    with pytest.raises(UsageError, match=message):
        asked(*DATA, *words)


def test_a_grid_of_too_few_trials_is_refused():
    with pytest.raises(UsageError, match="needs 4 trials"):
        asked(*DATA, LR, "diverged_above=interval(2.0,9.0)", "search.trials=3", method="grid")
