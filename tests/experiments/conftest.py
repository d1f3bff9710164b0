import importlib.util

import pytest

from normscope.places import EXPERIMENTS


@pytest.fixture(scope="module")
def experiment():
    """experiments/seminar/bn_vs_no_bn.py as a module."""
    spec = importlib.util.spec_from_file_location("bn_vs_no_bn", EXPERIMENTS / "seminar" / "bn_vs_no_bn.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
