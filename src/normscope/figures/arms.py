"""Which runs of an experiment are drawn, and what a caption says of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normscope.errors import UsageError
from normscope.figures.look import arm_name
from normscope.pairs import ARM, Setting, one_a_seed, settings

if TYPE_CHECKING:
    from normscope.runs.reader import Run


@dataclass(frozen=True)
class Shown:
    """The one setting of an experiment that a figure shows.

    Attributes:
        setting: scale and label.
        arms: option -> its ended runs, one a seed, in the order of their seeds; only options that have any.
        others: how many settings are not drawn.
        arm: the group whose options the arms are.
    """

    setting: Setting
    arms: "Mapping[str, list[Run]]"
    others: int
    arm: str = ARM

    @property
    def run(self) -> "Run":
        """One of them, for what they have in common."""
        return next(iter(self.arms.values()))[0]

    def caption(self) -> str:
        """Scale, length, network, rate, and the number of runs of each arm; nothing that the arms differ in."""
        config, choices = self.run.config, self.run.choices
        lr = config["optimizer"]["lr"]
        seeds = ", ".join(f"n = {len(members)} {arm_name(arm)}" for arm, members in self.arms.items())
        others = f" {self.others} other setting{'s' if self.others > 1 else ''} not drawn." if self.others else ""
        told = {
            "model": f"width {config['model'].get('width')}",
            "init": f"init {choices.get('init')}",
            "optimizer": f"{choices.get('optimizer')} at lr {lr if isinstance(lr, str) else format(lr, 'g')}",
            "": f"batches of {config.get('batch_size')}",
        }
        words = ", ".join(text for group, text in told.items() if group != self.arm)
        return f"Scale {self.setting.scale}: {self.setting.label}, {words}; {seeds}.{others}"


def fullest(
    runs: "Sequence[Run]",
    options: Sequence[str],
    *,
    arm: str = ARM,
    preferred: "Callable[[Run], bool]" = lambda run: True,
) -> Shown | None:
    """The setting with most to show: a preferred one first, then the one with most arms, then with most runs.

    Args:
        options: of the arm's group, in the order in which they are drawn.
    Returns:
        None if no run of these options has ended.
    """
    found = []
    for setting in settings(runs, arm):
        ended = {name: one_a_seed(setting.arms.get(name, [])) for name in options}
        ended = {name: members for name, members in ended.items() if members}
        if ended:
            members = [run for own in ended.values() for run in own]
            found.append((preferred(members[0]), len(ended), len(members), setting, ended))
    if not found:
        return None
    *_, setting, ended = max(found, key=lambda entry: entry[:3])
    return Shown(setting, ended, len(found) - 1, arm)


def shown(runs: "Sequence[Run]", options: Sequence[str], *, arm: str = ARM) -> Shown:
    """As `fullest`, of runs that must be there.

    Raises:
        UsageError: if no run of these options has ended.
    """
    found = fullest(runs, options, arm=arm)
    if found is None:
        raise nothing_to_draw(arm, options)
    return found


def nothing_to_draw(arm: str, options: Sequence[str]) -> UsageError:
    """What is said where no run of these options has ended."""
    return UsageError(
        f"no run with {arm}={' or '.join(options)} has ended: nothing to draw; let the sweep go on to its end"
    )
