import numpy as np
import pytest
from PIL import Image

from normscope.data.images import class_names, decode, image_files
from normscope.errors import UsageError


def decoded(folder):
    files = image_files(folder, class_names(folder))
    return decode(files), [file.label for file in files]


def test_pixels_and_labels_are_those_of_the_files(tmp_path, draw_image):
    pixels = [draw_image(name, (4, 6, 3)) for name in ("b/0.png", "b/1.png", "a/9.png")]
    images, labels = decoded(tmp_path)
    assert class_names(tmp_path) == ("a", "b")
    assert labels == [0, 1, 1]
    assert images.shape == (3, 3, 4, 6)
    np.testing.assert_array_equal(images.permute(0, 2, 3, 1).numpy(), [pixels[2], pixels[0], pixels[1]])


def test_gray_images_keep_one_channel(tmp_path, draw_image):
    pixels = [draw_image(f"a/{index}.png", (4, 4)) for index in range(3)]
    images, _ = decoded(tmp_path)
    assert images.shape == (3, 1, 4, 4)
    np.testing.assert_array_equal(images[:, 0].numpy(), pixels)


def test_a_gray_image_among_coloured_ones_gets_three_equal_channels(tmp_path, draw_image):
    gray, colour = draw_image("a/0.png", (4, 4)), draw_image("a/1.png", (4, 4, 3))
    images, _ = decoded(tmp_path)
    np.testing.assert_array_equal(images[0].numpy(), [gray, gray, gray])
    np.testing.assert_array_equal(images[1].permute(1, 2, 0).numpy(), colour)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.webp", "a.jpg", "a.JPEG", "a.gif", "a.tiff", "a.ppm"])
def test_the_common_formats_are_read(tmp_path, draw_image, name):
    options = {"lossless": True} if name.endswith("webp") else {}
    pixels = draw_image(f"a/{name}", (16, 16, 3), **options)
    with Image.open(tmp_path / "a" / name) as image:
        expected = np.asarray(image.convert("RGB"))
    images, _ = decoded(tmp_path)
    np.testing.assert_array_equal(images[0].permute(1, 2, 0).numpy(), expected)
    if not name.lower().endswith(("jpg", "jpeg", "gif")):  # these lose something
        np.testing.assert_array_equal(expected, pixels)


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "CMYK", "1"])
def test_every_kind_of_pixel_becomes_gray_or_rgb(tmp_path, draw_image, mode):
    source = Image.fromarray(draw_image("source.png")).convert(mode)
    (tmp_path / "a").mkdir()
    source.save(tmp_path / "a" / ("0.tiff" if mode == "CMYK" else "0.png"))
    images, _ = decoded(tmp_path)
    expected = np.asarray(source.convert("L" if mode == "1" else "RGB"))
    np.testing.assert_array_equal(images[0].permute(1, 2, 0).numpy().squeeze(), expected)


def test_what_the_system_leaves_in_a_folder_is_passed_over(tmp_path, draw_image):
    draw_image("a/0.png")
    for name in ("a/.DS_Store", "a/Thumbs.db", "a/desktop.ini", ".DS_Store", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".hidden").mkdir()
    assert decoded(tmp_path)[0].shape[0] == 1


def test_the_first_image_of_another_size_is_named(tmp_path, draw_image):
    for index, shape in enumerate([(4, 4, 3), (4, 4, 3), (4, 8, 3), (2, 2, 3)]):
        draw_image(f"a/{index}.png", shape)
    with pytest.raises(UsageError, match=r"2\.png is 8x4, .*0\.png is 4x4 pixels; .* resize them"):
        decoded(tmp_path)


def test_a_truncated_image_is_named(tmp_path, draw_image):
    for index in range(3):
        draw_image(f"a/{index}.png", (32, 32, 3))
    file = tmp_path / "a" / "1.png"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(UsageError, match=r"1\.png cannot be read: .*truncated.*; put a good copy there"):
        decoded(tmp_path)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x89PNG\r\n\x1a\n and then nothing"])
def test_a_file_that_is_no_image_is_named(tmp_path, draw_image, content):
    draw_image("a/0.png")
    (tmp_path / "a" / "1.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"1\.png cannot be read: it is not an image"):
        decoded(tmp_path)


def test_a_link_to_nowhere_is_named(tmp_path, draw_image):
    draw_image("a/0.png")
    (tmp_path / "a" / "1.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(UsageError, match=r"1\.png cannot be read: No such file"):
        decoded(tmp_path)


def test_pixels_of_16_bits_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.full((4, 4), 40000, dtype=np.uint16)).save(tmp_path / "a" / "0.png")
    with pytest.raises(UsageError, match=r"0\.png has pixels of type I;16, not 8 bits"):
        decoded(tmp_path)


def test_a_file_of_another_kind_is_named(tmp_path, draw_image):
    draw_image("a/0.png")
    (tmp_path / "a" / "labels.csv").write_text("0,1")
    with pytest.raises(UsageError, match=r"labels\.csv is no image by its name"):
        decoded(tmp_path)


def test_a_folder_within_a_class_is_named(tmp_path, draw_image):
    draw_image("a/deeper/0.png")
    with pytest.raises(UsageError, match=r"deeper is a folder within a class"):
        decoded(tmp_path)


def test_an_empty_class_is_named(tmp_path, draw_image):
    draw_image("a/0.png")
    (tmp_path / "b").mkdir()
    with pytest.raises(UsageError, match=r"b holds no images"):
        decoded(tmp_path)
