"""What the probes of one run found, or of a few beside each other: a picture for each."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from normscope.errors import UsageError
from normscope.runs.atomic import writing
from normscope.runs.board import write_board
from normscope.runs.reader import Run, find_runs

LONGEST_NAME = 255  # of a folder, in nearly all file systems


def observe(folders: Sequence[Path], outputs: Path, console: Console) -> list[Path]:
    """Draw everything that the probes of these runs found, the runs side by side.

    Args:
        folders: of runs, or folders with runs below them.
        outputs: the pictures go into its folder `reports`.
    Returns:
        The paths of the pictures.
    Raises:
        UsageError: if there is no run, there are too many for one picture, or no probe was on.
    """
    from normscope.figures.look import save
    from normscope.figures.pictures import available, picture
    from normscope.figures.subjects import subjects

    runs = [run for folder in folders for run in _runs_in(folder)]
    compared = subjects(runs)
    found = available(runs)
    if not found:
        raise UsageError(
            f"{', '.join(str(run.folder) for run in runs)}: no probe has measured anything; train with probes, such as "
            "probe=[along_gradient,activations]"
        )
    longest = LONGEST_NAME // len(runs) - 1
    target = outputs / "reports" / "+".join(run.folder.name[-longest:] for run in runs)  # its end tells runs apart
    paths = []
    console.print(f"{target}:", markup=False, highlight=False, soft_wrap=True)
    for observation in found:
        paths.append(target / f"{observation.name}.png")
        with writing(paths[-1]):
            save(picture(observation, compared), paths[-1])
        console.print(f"  {paths[-1].name}: {observation.shows}", markup=False, highlight=False, soft_wrap=True)
    write_board(target, {path.stem: path for path in paths}, {})
    return paths


def _runs_in(folder: Path) -> list[Run]:
    runs = find_runs(folder)
    if not runs:
        raise UsageError(f"{folder} holds no run that has ended (a folder with config.yaml and summary.json)")
    return runs
