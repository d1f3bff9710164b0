"""What `normscope --help` says."""

import inspect
import textwrap
from dataclasses import MISSING, fields

from normscope.places import CONFIGS, EXPERIMENTS
from normscope.settings import Settings

EXAMPLES = """\
normscope: train networks with and without BatchNorm, and measure the training while it runs

  normscope                                         VGG11 with BatchNorm on CIFAR-10
  normscope model/norm=none init=he_normal optimizer.lr=0.05
  normscope -m seed=0,1,2 model/norm=none,batch     a sweep: every combination, one run each
  normscope experiment=seminar/bn_vs_no_bn scale=laptop dataset=sample
  normscope start=run start.run=outputs/single/... start.trained=0   a new head on the frozen layers of a finished run
  normscope job=babysit optimizer.lr=0.05           is this config sound? minutes, before hours
  normscope job=loss_surface job.run=outputs/single/...   the loss around the weights of a run that has ended
  normscope search=random dataset.validation=5000 'optimizer.lr=tag(log,interval(1e-4,1))'   the best of 60 trials
  normscope --cfg job optimizer=adam                what a command would run with: every key and its value
  normscope-report                                  figures and verdicts of the experiments that have runs
"""
CLOSING = """\
Repeat a command and it goes on where it stands. Curves: tensorboard --logdir outputs
Hydra's own flags (-m, --cfg, --info, completion): normscope --hydra-help
"""


def usage() -> str:
    """The whole page, read from the files of configs/ and experiments/ and from the settings' own description.

    Hydra's own page takes twice as long, because it loads every group anew.
    """
    choices = [f"  {group:20} {', '.join(names)}" for group, names in groups().items()]
    return "\n".join(
        [EXAMPLES, "Choices (GROUP=NAME; lists as regularizer=[crop_flip,l2]):", *choices, "", settings(), CLOSING]
    )


def settings() -> str:
    """The top-level settings as their dataclass describes them, and their defaults."""
    described = (inspect.getdoc(Settings) or "").partition("Attributes:\n")[2].splitlines()
    lines = [f"  {line.strip()}" for line in described if "filled by" not in line]
    given = {f.name: "null" if f.default is None else f.default for f in fields(Settings) if f.default is not MISSING}
    defaults = "Defaults: " + " ".join(f"{name}={value}" for name, value in given.items())
    wrapped = textwrap.fill(defaults, 110, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(["Settings (KEY=VALUE, nested ones with dots, e.g. model.width=0.5):", *lines, wrapped, ""])


def groups() -> dict[str, list[str]]:
    """Group -> the names of its options."""
    found: dict[str, list[str]] = {}
    for path in sorted(CONFIGS.rglob("*/*.yaml")):
        found.setdefault(path.parent.relative_to(CONFIGS).as_posix(), []).append(path.stem)
    experiments = (path.relative_to(EXPERIMENTS).with_suffix("").as_posix() for path in EXPERIMENTS.rglob("*.yaml"))
    return found | {"experiment": sorted(experiments)}
