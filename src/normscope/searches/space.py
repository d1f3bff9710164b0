"""What a search chooses from: ranges of numbers and lists of values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A setting that takes any number within two bounds.

    Attributes:
        key: of the setting, e.g. optimizer.lr.
        low, high: the bounds, low < high; both may be taken.
        log: even in the logarithm, so that every factor of ten gets as many trials; low > 0 then.
        whole: whole numbers only.
    """

    key: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"{self.key}: the range ({self.low:g} to {self.high:g}) must rise and be finite")
        if self.log and self.low <= 0:
            raise ValueError(
                f"{self.key}: a logarithmic range ({self.low:g} to {self.high:g}) must begin above 0; "
                "raise its lower end, or leave the tag log out"
            )

    def at(self, share: float) -> float:
        """The value at a share in [0, 1] of the way from low to high; four digits of it are kept."""
        low, high = self._ends()
        value = low + share * (high - low)
        value = math.exp(value) if self.log else value
        value = round(value) if self.whole else float(f"{value:.4g}")
        return min(max(value, self.low), self.high)

    def share(self, value: float) -> float:
        """The share of the way from low to high at which a value lies; the inverse of `at`, but for its rounding."""
        low, high = self._ends()
        return ((math.log(value) if self.log else value) - low) / (high - low)

    def beyond(self, margin: float) -> tuple[float, float]:
        """The ends of an axis that shows the range, and so much of it more on either side."""
        low, high = self._ends()
        ends = low - margin * (high - low), high + margin * (high - low)
        return (math.exp(ends[0]), math.exp(ends[1])) if self.log else ends

    def text(self, value: float) -> str:
        """A value as it is typed."""
        return str(int(value)) if self.whole else repr(float(value))

    def typed(self) -> str:
        """The setting as it is typed on the command line."""
        bounds = f"interval({self.text(self.low)},{self.text(self.high)})"
        bounds = f"int({bounds})" if self.whole else bounds
        return f"{self.key}=tag(log,{bounds})" if self.log else f"{self.key}={bounds}"

    def _ends(self) -> tuple[float, float]:
        """The bounds on the scale on which the range is even; a whole number owns half a step on either side."""
        half = 0.5 if self.whole else 0
        low, high = self.low - half, self.high + half
        return (math.log(low), math.log(high)) if self.log else (low, high)


@dataclass(frozen=True)
class Listed:
    """A setting that takes one of some values.

    Attributes:
        key: of the setting or group, e.g. model/norm.
        values: as they are typed.
    """

    key: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"{self.key}: no value is listed; give some, such as {self.key}=A,B")
        if twice := [value for value in self.values if self.values.count(value) > 1]:
            raise ValueError(f"{self.key}: the value {twice[0]} is listed twice")

    def typed(self) -> str:
        """The setting as it is typed on the command line."""
        return f"{self.key}={','.join(self.values)}"


Setting = Interval | Listed
Trial = dict[str, str]  # key -> value as it is typed


def corners(space: Sequence[Setting]) -> list[Trial]:
    """A few trials that between them take both ends of every range and every listed value."""
    found: list[Trial] = []
    for number in range(max([2, *(len(setting.values) for setting in space if isinstance(setting, Listed))])):
        trial = {
            setting.key: setting.values[number % len(setting.values)]
            if isinstance(setting, Listed)
            else setting.text(setting.at(number % 2))
            for setting in space
        }
        found += [trial] if trial not in found else []
    return found
