import pytest

from normscope.experiment_files import loaded, source_of


@pytest.fixture(scope="module")
def experiment():
    """experiments/seminar/bn_vs_no_bn.py as a module."""
    return loaded(source_of("seminar/bn_vs_no_bn"))
