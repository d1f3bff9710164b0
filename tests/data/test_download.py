import hashlib
import multiprocessing
import os
import random

import pytest

from normscope.data import download as module
from normscope.data.download import download
from normscope.errors import UsageError

CONTENT = random.Random(0).randbytes(1_000_000)
KNOWN = {"size": len(CONTENT), "md5": hashlib.md5(CONTENT).hexdigest()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "archive.tar.gz"


@pytest.fixture(autouse=True)
def _content(server):
    server.content = CONTENT


def fetch(server, path, **known):
    download(server.url, path, **(KNOWN | known), pause=0)


def part_of(path):
    return path.with_name("archive.tar.gz.part")


def test_a_download_is_complete_and_quiet(server, path, capfd):
    fetch(server, path)
    assert path.read_bytes() == CONTENT
    assert not part_of(path).exists()
    assert server.ranges == [None]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_broken_download_goes_on_where_it_stopped(server, path, tells_length):
    server.breaks_after, server.tells_length = [300_000, 0, 200_000, 0, 0], tells_length
    fetch(server, path)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, *["bytes=300000-"] * 2, *["bytes=500000-"] * 3]


def test_a_server_without_ranges_starts_over(server, path):
    server.breaks_after, server.knows_ranges = [300_000], False
    fetch(server, path)
    assert path.read_bytes() == CONTENT


def test_the_next_call_goes_on_where_the_last_one_stopped(server, path):
    part = part_of(path)
    part.parent.mkdir()
    part.write_bytes(CONTENT[:700_000])
    fetch(server, path)
    assert path.read_bytes() == CONTENT
    assert server.ranges == ["bytes=700000-"]


def test_all_that_was_missing_was_the_name(server, path):
    part_of(path).parent.mkdir()
    part_of(path).write_bytes(CONTENT)
    fetch(server, path)
    assert path.read_bytes() == CONTENT
    assert server.ranges == []


def test_a_server_that_never_gets_further_is_given_up(server, path):
    server.breaks_after = [300_000, *[0] * 6]
    with pytest.raises(UsageError, match=r"ended early; 300,000 of 1,000,000 bytes are kept"):
        fetch(server, path)
    assert len(server.ranges) == 7
    assert not path.exists()
    fetch(server, path)
    assert path.read_bytes() == CONTENT


def test_a_server_that_breaks_at_the_same_place_without_ranges_is_given_up(server, path):
    server.breaks_after, server.knows_ranges = [300_000] * 99, False
    with pytest.raises(UsageError, match="bytes are kept"):
        fetch(server, path)


def test_an_interrupted_download_has_not_the_name_of_a_complete_one(server, path, monkeypatch):
    chunks = iter([CONTENT[:100], KeyboardInterrupt()])

    def interrupted(response):
        if isinstance(chunk := next(chunks), KeyboardInterrupt):
            raise chunk
        return chunk

    monkeypatch.setattr(module, "_chunk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(server, path)
    assert not path.exists()
    assert part_of(path).read_bytes() == CONTENT[:100]


def test_wrong_bytes_are_removed(server, path):
    with pytest.raises(UsageError, match=rf"have md5 {KNOWN['md5']}, not 123; they were removed"):
        fetch(server, path, md5="123")
    assert not path.exists()
    assert not part_of(path).exists()


def test_a_file_of_another_size_is_refused_before_it_comes(server, path):
    with pytest.raises(UsageError, match=r"offers 1,000,000 bytes, not 170,498,071: that is another file"):
        fetch(server, path, size=170_498_071)
    assert not path.exists()
    assert part_of(path).read_bytes() == b""


def test_a_file_that_does_not_end_is_refused(server, path):
    server.tells_length = False
    with pytest.raises(UsageError, match="sends more than 1,000 bytes"):
        fetch(server, path, size=1000)
    assert part_of(path).read_bytes() == b""


def test_a_part_of_another_file_is_thrown_away(server, path):
    part_of(path).parent.mkdir()
    part_of(path).write_bytes(bytes(2_000_000))
    fetch(server, path)
    assert path.read_bytes() == CONTENT


def test_the_servers_refusal_is_told(server, path):
    server.status = 404
    with pytest.raises(UsageError, match=r"http://127.*: the server answers 404 Not Found"):
        fetch(server, path)
    assert len(server.ranges) == 1


def test_a_server_that_is_down_is_told(path):
    with pytest.raises(UsageError, match=r"http://127.0.0.1:9/x: .*refused"):
        download("http://127.0.0.1:9/x", path, **KNOWN)


@pytest.mark.parametrize("url", ["", "archive.tar.gz", "htps://x.org/y", "http:///y"])
def test_what_is_no_address_is_told(path, url):
    with pytest.raises(UsageError, match=r"an address begins with https://|unknown url type|no host"):
        download(url, path, **KNOWN)


def test_a_copy_on_the_disk_is_an_address_too(path, tmp_path):
    (tmp_path / "copy").write_bytes(CONTENT)
    download((tmp_path / "copy").as_uri(), path, **KNOWN)
    assert path.read_bytes() == CONTENT


def test_a_place_that_cannot_be_written_to_is_named(server, path):
    path.parent.write_bytes(b"a file where the folder should be")
    with pytest.raises(UsageError, match=r"archive\.tar\.gz\.part cannot be written: File exists"):
        fetch(server, path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts its processes by fork, to be quick")
def test_of_several_processes_one_fetches(server, path):
    processes = [multiprocessing.get_context("fork").Process(target=fetch, args=(server, path)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert path.read_bytes() == CONTENT
    assert len(server.ranges) == 1
