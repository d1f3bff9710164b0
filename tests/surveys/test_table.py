import math

from normscope.surveys.table import Table, read_rows

COLUMNS = ("x", "loss")
POINTS = [(-1.0,), (0.1,), (1 / 3,)]


def written(path, rows):
    with Table(path, COLUMNS, {}) as table:
        for point, found in rows.items():
            table.add(point, found)


def test_numbers_read_back_as_they_were(tmp_path):
    rows = {(0.1,): (math.pi,), (1 / 3,): (math.inf,), (-1.0,): (1e-300,)}
    written(tmp_path / "t.csv", rows)
    assert read_rows(tmp_path / "t.csv", COLUMNS, POINTS) == rows
    assert (tmp_path / "t.csv").read_text().splitlines()[0] == "x,loss"


def test_a_row_is_on_the_disk_as_soon_as_it_is_added(tmp_path):
    with Table(tmp_path / "t.csv", COLUMNS, {}) as table:
        table.add((0.1,), (2.0,))
        assert read_rows(tmp_path / "t.csv", COLUMNS, POINTS) == {(0.1,): (2.0,)}


def test_what_a_killed_process_left_half_written_is_measured_again(tmp_path):
    written(tmp_path / "t.csv", {(-1.0,): (1.0,), (0.1,): (2.345,)})
    content = (tmp_path / "t.csv").read_bytes()
    for cut in (1, 3, 6):
        (tmp_path / "t.csv").write_bytes(content[:-cut])
        assert read_rows(tmp_path / "t.csv", COLUMNS, POINTS) == {(-1.0,): (1.0,)}
    (tmp_path / "t.csv").write_bytes(content + b"\0" * 30)
    assert len(read_rows(tmp_path / "t.csv", COLUMNS, POINTS)) == 2


def test_a_table_of_other_columns_or_points_is_not_gone_on_with(tmp_path):
    assert read_rows(tmp_path / "missing.csv", COLUMNS, POINTS) == {}
    (tmp_path / "empty.csv").touch()
    assert read_rows(tmp_path / "empty.csv", COLUMNS, POINTS) == {}
    written(tmp_path / "t.csv", {(5.0,): (1.0,), (0.1,): (2.0,)})
    assert read_rows(tmp_path / "t.csv", COLUMNS, POINTS) == {(0.1,): (2.0,)}
    assert read_rows(tmp_path / "t.csv", ("y", "loss"), POINTS) == {}
