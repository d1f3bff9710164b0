import struct

from PIL import Image

from normscope.runs.board import write_board


def test_tensorboard_serves_the_latest_figure_and_its_text(tmp_path, tensorboard):
    for width in (5, 7):  # a second report replaces the first
        Image.new("RGB", (width, 3), "red").save(tmp_path / "figure.png")
        write_board(tmp_path / "report", {"figure": tmp_path / "figure.png"}, {"verdicts": "| K1 |\n| --- |"})
    page = tensorboard(tmp_path)
    (image,) = page.get("plugin/images/images", run="report", tag="figure", sample="0")
    picture = page.raw(f"plugin/images/individualImage?{image['query']}")
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (7, 3)
    (card,) = page.get("plugin/text/text", run="report", tag="verdicts/text_summary")
    assert "K1" in card["text"]
