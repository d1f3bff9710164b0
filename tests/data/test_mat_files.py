import numpy as np
import pytest

from normscope.data.mat_files import read_arrays
from normscope.errors import UsageError
from tests.data.matlab import compressed, mat_file

RANDOM = np.random.default_rng(0)
ARRAYS = {
    "X": RANDOM.integers(0, 256, (3, 4, 2, 5), dtype=np.uint8),
    "y": RANDOM.integers(1, 11, (5, 1), dtype=np.uint8),
    "tiny": np.array([[7, 8]], dtype=np.uint8),  # its content fits into the short form of an element
    "long_name": RANDOM.normal(size=(2, 3)),
    "counts": RANDOM.integers(-9, 9, (3, 1), dtype=np.int32),
}


@pytest.mark.parametrize("pack", [compressed, bytes])
def test_arrays_come_back_with_name_shape_and_order(tmp_path, pack):
    path = tmp_path / "a.mat"
    path.write_bytes(mat_file(ARRAYS, pack))
    found = read_arrays(path)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("compress", [True, False])
def test_scipy_writes_what_is_read(tmp_path, compress):
    io = pytest.importorskip("scipy.io")
    io.savemat(tmp_path / "a.mat", ARRAYS, do_compression=compress)
    for name, array in read_arrays(tmp_path / "a.mat").items():
        np.testing.assert_array_equal(array, ARRAYS[name])


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "a.mat"
    whole = mat_file(ARRAYS)
    for content, reason in [
        (b"", "no MATLAB file"),
        (b"MATLAB 7.3".ljust(124) + b"\x00\x02IM", "no MATLAB file of version 5"),
        (whole[:-9], "ends too early"),
        (whole[:150] + b"????" + whole[154:], "Error -3|too early"),
        (mat_file(ARRAYS, bytes)[:-3], "."),
    ]:
        path.write_bytes(content)
        with pytest.raises(UsageError, match=rf"a\.mat cannot be read: .*({reason}).*; delete it"):
            read_arrays(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"a\.mat cannot be read: No such file"):
        read_arrays(tmp_path / "a.mat")
