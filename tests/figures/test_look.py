import os

import pytest
from PIL import Image

from normscope.figures.look import arm_colour, arm_name, entitle, new_figure, save


def test_an_arm_has_its_colour_everywhere():
    assert arm_colour("none") == "#D55E00"
    assert arm_colour("batch") == "#0072B2"
    assert arm_colour("of tomorrow") == "#000000"


def test_an_arm_is_called_by_what_it_is():
    assert [arm_name(norm) for norm in ("none", "batch", "new")] == ["without BatchNorm", "with BatchNorm", "new"]


def test_a_figure_is_white_and_wide_enough_to_be_halved(tmp_path):
    with new_figure(8, 4) as figure:
        figure.subplots().plot([1, 2])
    save(figure, tmp_path / "new folder" / "figure.png")
    image = Image.open(tmp_path / "new folder" / "figure.png").convert("RGB")
    assert image.size == (1200, 600)
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_the_same_figure_is_the_same_file(tmp_path):
    for name in ("a.png", "b.png"):
        with new_figure(2, 2) as figure:
            figure.subplots().plot([1, 2])
        save(figure, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_figure_that_cannot_be_drawn_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")
    with new_figure(2, 2) as figure:
        pass
    monkeypatch.setattr(figure, "savefig", lambda file, **_: file.write_bytes(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(figure, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["figure.png"]


def test_a_title_is_broken_where_the_figure_ends():
    title = "Theorem 4.1: the share of a gradient's square that BatchNorm's projection takes away"
    for width, lines in ((6, 3), (16, 1)):
        with new_figure(width, 4) as figure:
            figure.subplots()
            entitle(figure, title, size=17)
        assert figure.get_suptitle().count("\n") + 1 == lines
        figure.draw_without_rendering()
        assert figure._suptitle.get_window_extent().x1 <= figure.bbox.x1
