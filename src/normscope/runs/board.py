"""An experiment's figures and verdicts as a page of TensorBoard."""

from collections.abc import Mapping
from pathlib import Path

from normscope.runs.atomic import writing


def write_board(folder: Path, figures: Mapping[str, Path], cards: Mapping[str, str]) -> None:
    """Show pictures under IMAGES and markdown under TEXT, in a folder that TensorBoard lists beside the runs.

    Args:
        folder: made where it is missing; what an earlier report wrote there is replaced.
        figures: name -> PNG file; cards: name -> markdown.
    Raises:
        UsageError: if the folder cannot be written.
    """
    from tensorboard.compat.proto.summary_pb2 import Summary  # late: seconds, and a mistyped name should not wait
    from torch.utils.tensorboard.summary import text

    from normscope.runs.events import EventFile, event_files

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        earlier = event_files(folder)
        file = EventFile(folder, 0)
        for name, path in figures.items():
            png = path.read_bytes()
            width, height = (int.from_bytes(png[place : place + 4], "big") for place in (16, 20))  # of the PNG's header
            image = Summary.Image(encoded_image_string=png, colorspace=4, width=width, height=height)
            file.add(Summary(value=[Summary.Value(tag=name, image=image)]), 0)
        for name, markdown in cards.items():
            file.add(text(name, markdown), 0)
        file.sync()
        file.close()
        for path in earlier:
            path.unlink()
