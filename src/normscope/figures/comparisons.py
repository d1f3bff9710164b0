"""Several arms of one choice side by side: how the loss falls, how the accuracy rises, where each arm ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from normscope.figures.arms import nothing_to_draw
from normscope.figures.look import ARM_COLOURS, entitle, new_figure
from normscope.figures.side_by_side import Arms, accuracies, finals, losses, top_of
from normscope.pairs import Setting, data_of, one_a_seed, option, settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normscope.runs.reader import Run

PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#332288", "#999933", "#117733"]
HOW_TO_READ = (
    "Curves: median and range over the seeds, the loss a running mean over a sixteenth of the run. Below: a dot for "
    "each seed, the bar and the number their median"
)
WITH_TRAINING = "; hollow: on training images, scored like the test's, and the number the gap between the two medians"


@dataclass(frozen=True)
class Comparison:
    """What is compared, and in which order it is shown.

    Attributes:
        title: what the figure is about.
        arm: what sets the arms apart, see `pairs.option`; arms: its options, in the order of drawing.
        names: option of the arm -> how it is written, where not as it is.
        column: a second choice, "" where there is none; columns: its option -> the title of a column of panels.
    """

    title: str
    arm: str
    arms: Sequence[str]
    names: Mapping[str, str] = field(default_factory=dict)
    column: str = ""
    columns: Mapping[str, str] = field(default_factory=lambda: {"": ""})

    def name(self, arm: str) -> str:
        """How an arm is written."""
        return self.names.get(arm, arm)

    def colours(self) -> dict[str, str]:
        """Name of an arm -> its colour: that of the norm in all figures, or by the order of the arms."""
        palette = [ARM_COLOURS[arm] for arm in self.arms] if self.arm == "model/norm" else PALETTE
        return {self.name(arm): colour for arm, colour in zip(self.arms, palette, strict=False)}


@dataclass(frozen=True)
class Selection:
    """The runs that are drawn.

    Attributes:
        columns: option of the second choice -> name of an arm -> its ended runs, one a seed.
        others: settings of the same experiment that are not drawn.
    """

    setting: Setting
    columns: Mapping[str, Arms]
    others: int

    @property
    def runs(self) -> "list[Run]":
        return [run for arms in self.columns.values() for members in arms.values() for run in members]


def comparison_figure(runs: "Sequence[Run]", comparison: Comparison) -> "Figure":
    """A column for each option of the second choice; without one, the curves side by side and the ends below them.

    Raises:
        UsageError: if no run of the comparison has ended.
    """
    chosen, colours = select(runs, comparison), comparison.colours()
    single = len(chosen.columns) == 1
    width, height = (12.4, 5.4 + 0.42 * len(colours) + 2.2) if single else (6.2 * len(chosen.columns), 13)
    with new_figure(max(width, 12.4), height) as figure:
        grid = figure.add_gridspec(*((2, 2) if single else (3, len(chosen.columns))))
        ends = None
        for place, (column, arms) in enumerate(chosen.columns.items()):
            places = [grid[0, 0], grid[0, 1], grid[1, :]] if single else [grid[row, place] for row in range(3)]
            loss, accuracy = (figure.add_subplot(there) for there in places[:2])
            ends = figure.add_subplot(places[2], sharex=ends)
            losses(loss, arms, colours)
            accuracies(accuracy, arms, colours, top=top_of(chosen.columns.values()))
            finals(ends, arms, colours)
            loss.set_title(comparison.columns[column])
        annotate(figure, comparison, chosen)
    return figure


def select(runs: "Sequence[Run]", comparison: Comparison) -> Selection:
    """Choose what is drawn: of several settings the one with most arms, and of these the one with most runs.

    Raises:
        UsageError: if no run of the comparison has ended.
    """
    free = [comparison.column] if comparison.column else []
    found = []
    for setting in settings(runs, comparison.arm, free):
        columns = {column: _arms(setting, comparison, column) for column in comparison.columns}
        columns = {column: arms for column, arms in columns.items() if arms}
        if columns:
            counts = [len(members) for arms in columns.values() for members in arms.values()]
            found.append((len(counts), sum(counts), Selection(setting, columns, 0)))
    if not found:
        raise nothing_to_draw(comparison.arm, comparison.arms)
    best = max(found, key=lambda entry: entry[:2])[2]
    return Selection(best.setting, best.columns, len(found) - 1)


def annotate(figure: "Figure", comparison: Comparison, chosen: Selection, how_to_read: str = HOW_TO_READ) -> None:
    """The figure's title, and below it what was run."""
    if any(len(run.series("training_set/accuracy")[0]) for run in chosen.runs):
        how_to_read += WITH_TRAINING
    entitle(figure, comparison.title, f"{_what_was_run(comparison, chosen)} {how_to_read}.")


def _arms(setting: Setting, comparison: Comparison, column: str) -> Arms:
    """The ended runs of a column; of several of one seed the first folder's."""
    arms = {}
    for arm in comparison.arms:
        members = setting.arms.get(arm, [])
        if comparison.column:
            members = [run for run in members if option(run, comparison.column) == column]
        if own := one_a_seed(members):
            arms[comparison.name(arm)] = own
    return arms


def _what_was_run(comparison: Comparison, chosen: Selection) -> str:
    """The setting in words, without what is compared in it."""
    run = chosen.runs[0]
    config, counts = run.config, {len(members) for arms in chosen.columns.values() for members in arms.values()}
    varied = (comparison.arm, comparison.column)
    said = [f"{run.choices['model']} on {data_of(run)}", chosen.setting.label.split(", ")[1]]
    if (size := (config.get("dataset") or {}).get("train_size")) is not None:
        said.append(f"{size:,} training images")
    said.append(f"width {config['model'].get('width')}")
    said += [f"norm {option(run, 'model/norm')}"] if "model/norm" not in varied else []
    said += [f"init {option(run, 'init')}"] if "init" not in varied else []
    if "optimizer" not in varied:
        said.append(f"{option(run, 'optimizer')} at lr {config['optimizer']['lr']:g}")
    said.append(f"batches of {config.get('batch_size')}")
    n = str(min(counts)) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    others = f" {chosen.others} other setting{'s' if chosen.others > 1 else ''} not drawn." if chosen.others else ""
    return f"Scale {run.scale}: {', '.join(said)}; n = {n} seed{'' if n == '1' else 's'} an arm.{others}"
