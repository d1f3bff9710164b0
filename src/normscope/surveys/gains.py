"""What an average of answers is worth beside one of them."""

from typing import TYPE_CHECKING

import numpy as np

from normscope.surveys.survey import Conclusion
from normscope.training.evaluation import Score

if TYPE_CHECKING:
    from normscope.runs.reader import Run


def gain(table: np.ndarray, reference: Score, beside: str, each: str, caption: str, run: "Run") -> Conclusion:
    """The score of the mean of all answers beside a reference, in numbers, words and a picture.

    Args:
        table: (M, 5) the number n, and what `answers.scores` measures there.
        reference: of the loss and accuracy without an average.
        beside: what the reference is, in words; each: what is averaged, in the plural.
        caption: whose answers to how many images.
        run: gives the picture its colour.
    """
    from normscope.figures.averages import averages_figure

    loss, accuracy = (float(value) for value in table[-1, 3:])
    numbers = {
        "reference/loss": reference.loss,
        "reference/accuracy": reference.accuracy,
        "average/loss": loss,
        "average/accuracy": accuracy,
        "gained/loss": reference.loss - loss,
        "gained/accuracy": accuracy - reference.accuracy,
    }
    points = f"{100 * numbers['gained/accuracy']:+.2f} points"
    sentence = (
        f"{100 * accuracy:.2f} % with the mean of {len(table)} {each}, {100 * reference.accuracy:.2f} % {beside}: "
        f"{points}; loss {loss:.4g} and {reference.loss:.4g} nats"
    )
    fall = f"{loss - reference.loss:+.3f} nats"
    title = f"The mean of {len(table)} {each}: {points} of accuracy, {fall} of loss against {beside}".replace("-", "−")
    return Conclusion(sentence, numbers, averages_figure(table, reference, beside, each, caption, run, title))
