"""The page of all results is that of the files, and says what they say."""

import json
import math
import re
from dataclasses import asdict

import pytest

from normscope import gallery
from normscope.claims import Verdict
from normscope.gallery import page, table, verdicts_of
from normscope.places import CHECKOUT
from normscope.tables import plain


def verdict(claim, said, scale, effect=1.0):
    return Verdict(claim, "a sentence", "a number", effect, -math.inf, 2.0, 5, 5, scale, said, effects=((0, effect),))


@pytest.fixture
def papers(tmp_path, monkeypatch):
    """Two experiments with a page, one of them with results."""
    monkeypatch.setattr(gallery, "EXPERIMENTS", tmp_path / "experiments")
    monkeypatch.setattr(gallery, "CHECKOUT", tmp_path)
    for name in ("first", "second"):
        (tmp_path / "experiments" / name).mkdir(parents=True)
        (tmp_path / "experiments" / name / "README.md").write_text(f"# The {name} paper\n")
    results = tmp_path / "experiments" / "first" / "results" / "laptop"
    results.mkdir(parents=True)
    (results / "a_figure.png").touch()
    found = [verdict("X1", "reproduced", "laptop"), verdict("X1", "reproduced", "paper")]
    found += [verdict("X2, big", "undecided", "laptop", math.nan), verdict("X1", "reproduced", "laptop")]
    found += [verdict("X3", "undecided", "laptop")]
    (results / "a_figure.json").write_text(json.dumps({"verdicts": [plain(asdict(one)) for one in found]}))
    return found


def test_the_documents_are_those_of_the_files():
    assert (CHECKOUT / "docs" / "gallery.md").read_text() == page(), "python -m normscope.gallery > docs/gallery.md"
    assert table() in (CHECKOUT / "README.md").read_text(), "paste it anew: python -m normscope.gallery table"


def test_every_picture_and_page_that_the_gallery_links_to_is_there():
    links = re.findall(r"\]\((\.\./[^)]*)\)", page())
    assert links
    assert all((CHECKOUT / "docs" / link).is_file() for link in links)


def test_a_report_read_again_is_what_was_judged(papers, tmp_path):
    (report,) = tmp_path.rglob("*.json")
    assert str(verdicts_of(report)) == str(papers)  # as text, because nan is not nan


def test_the_table_names_each_claim_once_with_the_scales_of_its_verdict(papers):
    (row,) = table().splitlines()[2:]
    assert row == "| [The first paper](experiments/first/README.md) | X1 (laptop, paper) |  | X2 big, X3 (laptop) |"


def test_more_than_two_parts_of_a_claim_are_counted(papers, tmp_path):
    (report,) = tmp_path.rglob("*.json")
    found = [verdict(f"Y1, {part}", "undecided" if part == "d" else "reproduced", "laptop") for part in "abcd"]
    found += [verdict(f"Y2, {part}", "reproduced", "laptop") for part in "abc"]
    report.write_text(json.dumps({"verdicts": [plain(asdict(one)) for one in found]}))
    (row,) = table().splitlines()[2:]
    assert row.endswith("| Y1: 3 of 4, Y2: all 3 (laptop) |  | Y1 d (laptop) |")


def test_a_figure_stands_above_its_verdicts(papers):
    text = page()
    picture = text.index("![a figure, laptop](../experiments/first/results/laptop/a_figure.png)")
    assert picture < text.index("**X1** a sentence") < text.index("**X2, big** a sentence")
    assert "second" not in text


def test_a_figure_of_one_of_two_scales_stands_above_its_own_verdicts(papers, tmp_path):
    (old,) = tmp_path.rglob("a_figure.png")
    for scale in ("laptop", "paper"):
        old.with_name(f"a_figure-{scale}.png").touch()
    old.unlink()
    laptop, paper = page().split("![a figure, paper, laptop]")
    assert ("**X3** a sentence" in laptop, laptop.count("**X1** a sentence")) == (True, 2)
    assert ("**X3** a sentence" in paper, paper.count("**X1** a sentence")) == (False, 1)
