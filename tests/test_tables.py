import json
import math
from pathlib import Path

from normscope.claims import Verdict
from normscope.runs.reader import find_runs
from normscope.tables import number, ours, plain, write_page
from tests.fabricated import fabricate


def test_the_page_shows_figure_verdicts_and_runs(tmp_path):
    fabricate(tmp_path, "none", 9, status="interrupted")
    effects = ((0, 9.0), (1, math.inf))
    verdict = Verdict(
        "X", "a|b", "10", 9, 8, math.inf, 2, 1, "laptop", "undecided", "2 pairs", "mlp", "points", effects
    )
    write_page(tmp_path / "page.md", "a/b", [Path("elsewhere/b.png")], [verdict], find_runs(tmp_path))
    page = (tmp_path / "page.md").read_text()
    assert "![b](b.png)" in page
    assert "| X | a\\|b | 10 | 9 [8, ∞] points | 1 of 2 | laptop, mlp | **undecided** |" in page
    assert "- X at laptop, mlp: 2 pairs\n- X at laptop, mlp, by seed: 0: 9, 1: ∞\n" in page
    assert "| vgg11-none-laptop-seed9 | laptop | 9 | interrupted | 200 |" in page


def test_a_comparison_without_claims_shows_its_runs_with_their_last_numbers(tmp_path):
    fabricate(tmp_path, "none", 9)
    (run,) = find_runs(tmp_path)
    run.summary["metrics"] = {"test/accuracy": 0.5125, "train/loss": math.nan, "train/lr": 0.01}
    write_page(tmp_path / "page.md", "a/b", [Path("b.png")], [], [run])
    page = (tmp_path / "page.md").read_text()
    assert "Verdicts" not in page
    assert "| run | scale | seed | status | steps | last training loss | last test accuracy | device |" in page
    assert "| vgg11-none-laptop-seed9 | laptop | 9 | finished | 400 | - | 0.512 |" in page
    assert json.loads((tmp_path / "page.json").read_text())["runs"][0]["metrics"]["train/loss"] is None


def effect_of(effect, low, high, n, bound=""):
    return ours(Verdict("X", "", "", effect, low, high, n, n, "laptop", "undecided", unit="points", bound=bound))


def test_an_effect_is_written_with_its_interval():
    assert effect_of(10.04, 8, 12.06, 5) == "10 [8, 12.1] points"
    assert effect_of(0.1875, 0.1, 0.2, 5, "<=") == "<= 0.188 [0.1, 0.2] points"


def test_one_pair_has_no_interval():
    assert effect_of(10, -math.inf, math.inf, 1) == "10 (no interval of 1 pair) points"


def test_no_effect_is_a_dash():
    assert effect_of(math.nan, math.nan, math.nan, 0) == "-"


def test_what_is_not_finite_is_written_so():
    assert [number(value) for value in (math.inf, -math.inf, math.nan, 1234.5)] == ["∞", "-∞", "-", "1,230"]
    assert plain({"a": (math.inf, [math.nan, 1.5])}) == {"a": ["inf", [None, 1.5]]}
