from pathlib import Path

import pytest

from normscope.choices import page
from normscope.places import CONFIGS

DOCUMENT = Path(__file__).parents[1] / "docs" / "choices.md"


def test_the_page_is_that_of_the_files():
    assert DOCUMENT.read_text() == page(), "write it anew: python -m normscope.choices > docs/choices.md"


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*/*.yaml")), ids=lambda path: path.stem)
def test_every_choice_has_a_row_with_its_source(path):
    section = page().partition(f"## {path.parent.relative_to(CONFIGS).as_posix()}\n")[2].partition("\n## ")[0]
    (row,) = [line for line in section.splitlines() if line.startswith(f"| `{path.stem}` |")]
    _, _, what, source, _, _ = row.replace("\\|", "/").split("|")
    assert source.strip()
    assert "Args:" not in what
    assert "ValueError" not in what
