"""Where configs/ and experiments/ lie: at the top of a checkout, or inside the installed package."""

from pathlib import Path

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parents[1]


def _beside(name: str, telltale: str) -> Path:
    in_checkout = CHECKOUT / name
    return in_checkout if (in_checkout / telltale).exists() else PACKAGE / name


CONFIGS = _beside("configs", "train.yaml")
EXPERIMENTS = _beside("experiments", "seminar")
