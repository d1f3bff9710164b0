import math

import pytest

from normscope.errors import UsageError
from normscope.preflight import check_config, settings_of
from normscope.settings import Settings, steps_of

GOOD = {
    **{name: getattr(Settings(), name) for name in Settings.__dataclass_fields__},
    "model": {"_target_": "normscope.models.vgg.vgg", "_partial_": True, "width": 1.0},
    "init": {"_target_": "normscope.inits.default", "_partial_": True},
    "optimizer": {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1, "nesterov": False},
    "schedule": {"_target_": "normscope.optimizers.schedules.constant", "_partial_": True},
    "dataset": {"_target_": "normscope.data.sample.sample", "preprocess": None},
    "task": {"_target_": "normscope.tasks.labels", "_partial_": True},
    "loss": {"_target_": "normscope.losses.cross_entropy", "reduction": "mean"},
}

START = {"_target_": "normscope.start.Start", "run": "a", "experiment": None, "match": ["seed"], "head": "new"}
START |= {"trained": "all", "thaw_every": None, "lr_factor": 1.0}


def test_a_good_config_passes():
    check_config(GOOD | {"start": START})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size=0: must be at least 1"),
        ({"device": "gpu"}, "device=gpu: choose one of auto, cpu, cuda"),
        ({"precision": "fp16"}, "precision=fp16: choose one of fp32, tf32, bf16"),
        ({"epochs": None, "steps": None}, "give a length"),
        ({"epochs": -1.0}, "epochs > 0"),
        ({"epochs": math.inf}, "epochs=inf, steps=null: give a length"),
        ({"seed": -1}, "seed=-1"),
        ({"diverged_above": 0.5}, "must be above 1"),
        ({"model": {}}, "model: nothing is chosen"),
        ({"optimizer": GOOD["optimizer"] | {"nesterv": True}}, r"did you mean optimizer\.nesterov\?"),
        ({"optimizer": GOOD["optimizer"] | {"_target_": "torch.optim.SGDD"}}, "there is no such function or class"),
        ({"optimizer": GOOD["optimizer"] | {"_target_": "os.system"}}, r"only names that begin with normscope\. or"),
        ({"optimizer": GOOD["optimizer"] | {"lr": "fast"}}, "optimizer.lr='fast': must be float"),
        ({"optimizer": GOOD["optimizer"] | {"nesterov": 1}}, "optimizer.nesterov=1: must be bool"),
        ({"schedule": GOOD["schedule"] | {"zzz": 1}}, "it takes step, steps"),
        ({"optimizer": GOOD["optimizer"] | {"nesterov": None}}, "optimizer.nesterov=None: must be bool"),
        ({"optimizer": GOOD["optimizer"] | {"nesterov": [True]}}, r"optimizer.nesterov=\[True\]: must be bool"),
        ({"start": START | {"run": ["a"]}}, r"start.run=\['a'\]: must be str \| None"),
        ({"start": START | {"trained": None}}, r"start.trained=None: must be int \| str"),
        ({"start": START | {"match": "seed"}}, r"start.match='seed': must be a list, such as \[seed\]"),
        ({"start": START | {"match": ["seed", 1]}}, "start.match=1: must be str"),
    ],
)
def test_a_mistake_is_named_with_its_value_and_the_way_out(change, message):
    with pytest.raises(UsageError, match=message):
        check_config(GOOD | change)


def test_nested_targets_are_checked_too():
    then = {"_target_": "normscope.optimizers.schedules.nope", "_partial_": True}
    node = {"_target_": "normscope.optimizers.schedules.warm_up", "_partial_": True, "over": 5, "then": then}
    with pytest.raises(UsageError, match=r"schedule\.then\._target_"):
        check_config(GOOD | {"schedule": node})


def test_targets_in_lists_are_checked_too():
    node = {"_target_": "torch.optim.Adam", "lr": 0.1, "betas": [0.9, {"_target_": "os.getcwd"}]}
    with pytest.raises(UsageError, match=r"optimizer\.betas\[1\]\._target_=os\.getcwd: only names that begin with"):
        check_config(GOOD | {"optimizer": node})


def test_steps_win_over_epochs():
    assert steps_of(Settings(epochs=2, steps=7), 100) == 7
    assert steps_of(Settings(epochs=2.5), 100) == 250
    assert steps_of(Settings(epochs=0.001), 100) == 1


def test_a_config_of_an_older_version_is_told_from_a_good_one():
    older = {key: value for key, value in GOOD.items() if key != "loss"}
    with pytest.raises(UsageError, match="loss: not in this config, which another version of normscope wrote"):
        settings_of(older)
