from dataclasses import fields

from normscope.places import CONFIGS
from normscope.settings import Settings
from normscope.usage import groups, usage


def test_help_names_every_choice_and_every_setting():
    page = usage()
    for path in CONFIGS.rglob("*/*.yaml"):
        assert path.stem in page
    for setting in fields(Settings):
        if setting.name not in groups():  # the groups' own
            assert f"{setting.name}=" in page
    assert "seminar/bn_vs_no_bn" in page
