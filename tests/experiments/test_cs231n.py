"""CS231n's assignment, on runs for which the verdicts are known."""

import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

SCALES = [float(f"{10 ** (-4 + 4 * place / 19):.4g}") for place in range(20)]


def flat(value):
    return lambda step: value + 0 * step


def verdicts(root, name):
    return {found.claim: found for found in loaded(source_of(f"cs231n/{name}")).claims(find_runs(root))}


def caption_of(root, name):
    figure = loaded(source_of(f"cs231n/{name}")).plot(find_runs(root))
    return figure, figure._supxlabel.get_text().replace("\n", " ")


def once(best):
    """An accuracy that is reached at step 300 alone."""
    return lambda step: 0.1 + (best - 0.1) * (step == 300)


def scales(root, seeds, reached):
    """Runs at twenty scales that reach reached(norm, place) as their best, and lose it again; None: diverged."""
    for seed in seeds:
        for place, std in enumerate(SCALES):
            for norm in ("none", "batch"):
                best = reached(norm, place)
                fabricate(
                    root,
                    norm,
                    seed,
                    name=f"{norm}-{place}-{seed}",
                    experiment="cs231n/weight_scales",
                    status="finished" if best else "diverged",
                    choices={"model": "mlp", "init": "gaussian"},
                    init={"std": std},
                    series=dict.fromkeys(("training_set/accuracy", "validation/accuracy"), once(best or 0.1)),
                )


def test_b6_is_the_range_of_the_best_accuracies(tmp_path):
    """Without BatchNorm 10 to 70 %, with it 40 to 59 %."""
    scales(tmp_path, range(5), lambda norm, place: 0.4 + 0.01 * place if norm == "batch" else [0.1, 0.7][place == 11])
    found = verdicts(tmp_path, "weight_scales")["B6"]
    assert (found.n, found.verdict) == (5, "reproduced")
    assert found.effect == pytest.approx((59 - 40) - (70 - 10))
    assert "median 60 without, 19 with BatchNorm" in found.note
    figure, caption = caption_of(tmp_path, "weight_scales")
    assert "n = 5 without BatchNorm, n = 5 with BatchNorm" in caption
    assert len(figure.axes) == 3


def test_b6_counts_a_scale_that_diverges_as_0(tmp_path):
    scales(tmp_path, range(5), lambda norm, place: None if norm == "batch" and place == 19 else 0.3 + 0.01 * place)
    found = verdicts(tmp_path, "weight_scales")["B6"]
    assert (found.effect, found.verdict) == (pytest.approx(48 - 19), "contradicted")


def sizes(root, seeds, **of_norm):
    """Best accuracies (training, validation) in batches of 5, 10 and 50."""
    for seed in seeds:
        for norm, ends in of_norm.items():
            for size, (training, validation) in zip((5, 10, 50), ends, strict=True):
                fabricate(
                    root,
                    norm,
                    seed,
                    name=f"{norm}-{size}-{seed}",
                    experiment="cs231n/batch_sizes",
                    choices={"model": "mlp"},
                    batch_size=size,
                    loss=flat(1.0),
                    accuracy=flat(0.1),
                    series={"training_set/accuracy": flat(training), "validation/accuracy": flat(validation)},
                )


def test_b7_is_judged_on_both_kinds_of_images(tmp_path):
    """Training images: as asked; validation images: the opposite."""
    batch = [(0.50, 0.34), (0.60, 0.32), (0.70, 0.31)]
    layer = [(0.80, 0.38), (0.75, 0.34), (0.70, 0.30)]
    sizes(tmp_path, range(5), batch=batch, layer=layer)
    found = verdicts(tmp_path, "batch_sizes")
    assert {name: one.verdict for name, one in found.items()} == {
        "B7, training": "reproduced",
        "B7, layer norm, training": "reproduced",
        "B7, validation": "contradicted",
        "B7, layer norm, validation": "contradicted",
    }
    assert found["B7, training"].effect == pytest.approx(20)
    assert found["B7, layer norm, training"].effect == pytest.approx(10 / 20)
    assert found["B7, layer norm, validation"].effect == pytest.approx(8 / 3)
    figure, caption = caption_of(tmp_path, "batch_sizes")
    assert "n = 5 with BatchNorm, n = 5 with layer norm" in caption
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["5", "10", "50"]


def test_b7_without_one_of_the_sizes_decides_nothing(tmp_path):
    sizes(tmp_path, range(5), batch=[(0.5, 0.3), (0.6, 0.3), (0.7, 0.3)])
    for seed in range(5):
        (tmp_path / f"cs231n/batch_sizes/batch-5-{seed}/summary.json").unlink()
    found = verdicts(tmp_path, "batch_sizes")["B7, training"]
    assert (found.n, found.verdict) == (0, "undecided")
    assert "what is measured is not there" in found.note


def test_nothing_to_draw_is_said_in_words(tmp_path):
    from normscope.errors import UsageError

    sizes(tmp_path, [0], batch=[(0.5, 0.3)] * 3)
    with pytest.raises(UsageError, match="no run with model/norm=none or batch or layer has ended: nothing to draw"):
        loaded(source_of("cs231n/batch_sizes")).plot([])
