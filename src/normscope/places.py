"""Where configs/ and experiments/ lie, at the top of a checkout or inside the installed package; and the commands."""

import os
import shutil
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parents[1]


def _beside(name: str, telltale: str) -> Path:
    in_checkout = CHECKOUT / name
    return in_checkout if (in_checkout / telltale).exists() else PACKAGE / name


def command(name: str) -> str:
    """How a command of this environment is called from here: by its name if that finds it, else by its path."""
    own = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    return name if (found and Path(found) == own) or not own.exists() else os.path.relpath(own)


CONFIGS = _beside("configs", "train.yaml")
EXPERIMENTS = _beside("experiments", "seminar")
