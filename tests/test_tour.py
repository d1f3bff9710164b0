"""The tour's commands are the same in both languages, and each is one that normscope knows."""

import re
import shlex

import pytest

from normscope.composed import composed
from normscope.experiment_files import known
from normscope.places import CHECKOUT

LANGUAGES = ("tour.md", "tour.ko.md")


def commands(name):
    blocks = re.findall(r"```sh\n(.*?)```", (CHECKOUT / "docs" / name).read_text(), re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def runs(name):
    return [words for words in commands(name) if words[0] == "normscope" and not any("job=" in w for w in words)]


def first_value(word):
    key, _, values = word.partition("=")
    return word if values.startswith("[") else f"{key}={values.partition(',')[0]}"


def test_both_languages_take_the_same_steps():
    english, korean = map(commands, LANGUAGES)
    assert english == korean
    assert sum(words[0] != "." and words[0] != "tensorboard" for words in english) == 10


def test_both_have_ten_stations():
    for name in LANGUAGES:
        headings = re.findall(r"^## (\d+)\. ", (CHECKOUT / "docs" / name).read_text(), re.MULTILINE)
        assert headings == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("words", runs("tour.md"), ids=" ".join)
def test_every_command_composes(words):
    words = [first_value(word) for word in words[1:] if word != "-m"]
    config, choices = composed(words)
    assert config["probe"] or choices["experiment"] == "seminar/learning_rates"
    assert all(word.partition("=")[2] in known() for word in words if word.startswith("experiment="))
