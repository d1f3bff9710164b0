"""Every probe's picture is drawn from runs that have its series, and says nothing of runs that have not."""

import re

import pytest

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.figures.observations import OBSERVATIONS
from normscope.figures.pictures import available, picture
from normscope.figures.subjects import subjects
from normscope.runs.reader import find_runs
from normscope.training.run import carry_out
from tests.commands import TINY
from tests.probes.test_all_probes import OF_PRELU, PROBES, WITHOUT_NORM, measured, overrides


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A run of each arm with every probe that it can have, a few steps long, and one of a network with PReLU."""
    root = tmp_path_factory.mktemp("runs")
    words = ["model/norm=layer", "model/activation=prelu", f"probe=[{','.join(OF_PRELU)}]", "probe_every=2", "steps=5"]
    carry_out(assemble(*composed([*TINY, *words])), root / "prelu", lambda step, metrics: None)
    for norm in ("none", "batch"):
        with_norm = ("norm_scales", "reduction", "scale_invariance", "theorem_4_2")
        unfit = OF_PRELU + (with_norm if norm == "none" else WITHOUT_NORM)
        chosen = [probe for probe in PROBES if probe not in unfit]
        words = [*TINY, f"model/norm={norm}", f"probe=[{','.join(chosen)}]", "probe_every=2", "steps=5"]
        carry_out(assemble(*composed(words)), root / norm, lambda step, metrics: None)
    return find_runs(root)


@pytest.mark.parametrize("probe", PROBES)
def test_every_probe_has_its_picture(probe):
    patterns = [
        re.compile("[^/]+".join(map(re.escape, name.split("{layer}"))))
        for one in OBSERVATIONS
        for panel in one.panels
        for name in panel.names("{layer}")
    ]
    written = [name for found in measured(overrides(probe), steps=2)[1] for name in (*found.scalars, *found.histograms)]
    assert any(pattern.fullmatch(name) for pattern in patterns for name in written)


@pytest.mark.parametrize("observation", OBSERVATIONS, ids=lambda one: one.name)
def test_a_picture_shows_a_run_alone_and_those_of_several_that_have_it(few, observation):
    able = [run for run in few if observation in available([run])]
    assert able
    for runs in (able[:1], few):
        figure = picture(observation, subjects(runs))
        assert any(axis.has_data() for part in [figure] for axis in part.axes)
        assert figure.get_suptitle().replace("\n", " ") == observation.shows


def test_a_run_without_probes_has_no_pictures(tmp_path):
    carry_out(assemble(*composed([*TINY, "probe=[]", "steps=2"])), tmp_path / "run", lambda step, metrics: None)
    assert available(find_runs(tmp_path)) == []


def test_titles_of_panels_are_words():
    for one in OBSERVATIONS:
        assert re.fullmatch(r"[a-z_0-9]+", one.name)
        assert one.shows[0].isupper()
