"""normscope: a microscope for normalisation in neural networks."""

__version__ = "0.1.0"
