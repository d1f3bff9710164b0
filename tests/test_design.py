"""The picture of the design, held by reading the imports: arrows point down, and three libraries have one home each."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "normscope"
FILES = sorted(SOURCE.rglob("*.py"))
OUTSIDE = {"errors", "places", "__version__"}  # may be imported from everywhere
BELOW = {  # part -> the parts of normscope that it may import
    "layers": set(),
    "regularizers": set(),
    "optimizers": set(),
    "data": set(),
    "inits": set(),
    "when": set(),
    "vectors": set(),
    "weight_layers": set(),
    "precision": set(),
    "losses": set(),
    "tasks": {"data.dataset"},
    "lanczos": set(),
    "second_order": set(),
    "statistics": set(),
    "signatures": set(),
    "settings": set(),
    "models": {"layers"},
    "layer_values": set(),
    "blocks": {"weight_layers"},
    "start": {"differences", "instantiation", "runs", "surveys"},
    "transfer": {"blocks", "data", "differences", "parts", "runs", "start", "surveys", "training"},
    "record": {"layer_values", "precision", "second_order", "vectors"},
    "captured_gradient": {"record", "vectors"},
    "measurement": {"layer_values", "record", "when"},
    "turns": {"record", "vectors"},
    "probes": {"lanczos", "layer_values", "measurement", "record", "turns", "vectors", "weight_layers"},
    "runs": set(),
    "training": {"losses", "measurement", "record", "runs", "regularizers.rules", "precision", "tasks"},
    "preflight": {"settings", "signatures"},
    "differences": {"runs"},
    "pairs": {"differences", "runs"},
    "claims": {"pairs", "statistics"},
    "families": {"differences", "pairs", "runs"},
    "criteria": {"quantities", "runs"},
    "verdicts": {"claims", "criteria", "families", "pairs", "quantities", "runs", "statistics"},
    "quantities": {"statistics", "runs"},
    "chance": {"quantities", "runs"},
    "step_by_step": {"criteria", "quantities", "runs"},
    "searches": {"runs"},
    "figures": {"families", "pairs", "quantities", "runs", "searches", "statistics"},
    "searched": {"figures", "runs", "searches"},
    "surveys": {
        "data.batches",
        "data.dataset",
        "differences",
        "figures",
        "losses",
        "measurement",
        "pairs",
        "precision",
        "preflight",
        "regularizers.population_statistics",
        "regularizers.rules",
        "runs",
        "settings",
        "tasks",
        "training",
        "vectors",
    },
    "jobs": {
        "figures",
        "fitting",
        "layers",
        "measurement",
        "precision",
        "probes.weights",
        "record",
        "regularizers.drop_connect",
        "regularizers.rules",
        "regularizers.snapshot_ensemble",
        "surveys",
        "training",
        "vectors",
        "when",
    },
    "reopened": {"assemble", "instantiation", "runs", "surveys", "training"},
    "beginnings": {"assemble", "instantiation", "surveys"},
    "tables": {"claims", "differences", "runs"},
    "observed": {"runs", "figures"},
    "reported": {"claims", "experiment_files", "figures", "pairs", "runs", "tables"},
    "report": {
        "claims",
        "experiment_files",
        "observed",
        "reported",
        "runs",
        "searched",
        "searches",
        "surveys",
        "tables",
    },
    "experiment_files": set(),
}
HOMES = {
    "hydra": {"main", "instantiation", "composed", "sweeps", "cells", "searching", "spaces"},
    "omegaconf": {"main", "instantiation", "composed", "sweeps", "cells", "searching", "spaces"},
    "tensorboard": {"runs"},
    "torch.utils.tensorboard": {"runs"},
    "matplotlib": {"figures"},
}


def part(module: str) -> str:
    return module.split(".")[0]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=own_name)
def test_imports_point_down(path):
    own = part(own_name(path))
    if own not in BELOW:
        return
    for name in imports(path):
        if not name.startswith("normscope."):
            continue
        target = name.removeprefix("normscope.")
        allowed = BELOW[own] | OUTSIDE | {own}
        assert any(target == a or target.startswith(f"{a}.") for a in allowed), f"{own_name(path)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=own_name)
def test_a_library_has_one_home(path):
    for name in imports(path):
        for library, homes in HOMES.items():
            if name == library or name.startswith(f"{library}."):
                assert part(own_name(path)) in homes, f"{own_name(path)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=own_name)
def test_source_imports_neither_experiments_nor_tests(path):
    assert not any(part(name) in ("experiments", "tests") for name in imports(path))


@pytest.mark.parametrize("path", FILES, ids=own_name)
def test_a_file_is_one_concept(path):
    assert len(path.read_text().splitlines()) <= 220


PAGES = sorted(SOURCE.parents[1].glob("experiments/*/README.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_no_page_of_an_experiment_has_a_placeholder(page):
    assert not re.search(r"RESULT_|FILL|TODO", page.read_text())
