"""The course of a run, for rules that are tested alone."""

from normscope.regularizers.rules import Course


def course(**given):
    """A run of 12 updates, 4 to an epoch, at a constant rate; what is given counts instead."""
    usual = {
        "steps": 12,
        "steps_per_epoch": 4,
        "lr": lambda step: 0.1,
        "scores": ("test/loss", "test/accuracy", "validation/loss", "validation/accuracy"),
        "of_probabilities": True,
        "reduction": "mean",
        "rules": (),
        "pass_through": lambda network: None,
    }
    return Course(**usual | given)
