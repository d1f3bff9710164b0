import inspect

import pytest
import torch

from normscope.signatures import signature_of


@pytest.mark.parametrize(
    "name", ["torch.optim.SGD", "torch.optim.Adam", "torch.nn.ReLU", "torch.nn.MaxPool2d", "torch.nn.Dropout"]
)
def test_the_source_says_what_python_says(name):
    actual = torch
    for part in name.split(".")[1:]:
        actual = getattr(actual, part)
    assert list(signature_of(name).annotations) == list(inspect.signature(actual).parameters)


@pytest.mark.parametrize("name", ["torch.optim.SGDD", "normscope.nowhere.f", "nosuchpackage.f", "torch", ""])
def test_what_does_not_exist_has_no_signature(name):
    assert signature_of(name) is None
