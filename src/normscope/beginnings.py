"""From the command's own config to a job that looks at a run before it begins."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from normscope.assemble import assemble
from normscope.instantiation import built, made
from normscope.surveys.survey import Survey
from normscope.surveys.trials import Beginning

KEPT = "gradient"  # the place of clipping, which belongs to how a step is taken


def survey_before(job: Mapping[str, Any], config: Mapping[str, Any], choices: Mapping[str, Any]) -> Survey:
    """Put a job together that reads no run.

    Args:
        job: its config; config, choices: of the run that is looked at. Both checked by `preflight.check_config`.
    Raises:
        UsageError: if the run cannot be put together, or the job refuses an option; nothing has been written then.
    """
    survey: Survey = built("job", partial(made("job", job), partial(beginning, config, choices)))
    return survey


def beginning(config: Mapping[str, Any], choices: Mapping[str, Any], regularised: bool) -> Beginning:
    """The run before its first update, without probes."""
    nodes = config["regularizer"]
    if not regularised:
        nodes = {name: {KEPT: places[KEPT]} for name, places in nodes.items() if KEPT in places}
    return Beginning.of(assemble({**config, "probe": {}, "regularizer": nodes}, dict(choices)))
