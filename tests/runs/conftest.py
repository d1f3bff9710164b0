"""What TensorBoard serves of a folder of runs, asked of its own server without a port."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboard import default, program
from tensorboard.backend.application import TensorBoardWSGIApp
from werkzeug.test import Client

BASE = ["tensorboard", "--reload_interval=0", "--samples_per_plugin=scalars=9999,histograms=9999"]
STATUSES = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]


class Page:
    """TensorBoard opened on a log directory."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._board = program.TensorBoard(default.get_plugins())
        self._board.configure([*BASE, f"--logdir={folder}", *flags])
        provider, multiplexer = self._board._make_data_provider()
        self._client = Client(
            TensorBoardWSGIApp(
                self._board.flags, self._board.plugin_loaders, provider, self._board.assets_zip_provider, multiplexer
            )
        )

    def get(self, route: str, **query: str) -> Any:
        return self._client.get(f"/data/{route}", query_string=query).json

    def raw(self, route: str) -> bytes:
        return self._client.get(f"/data/{route}").data

    def hparams(self) -> dict[str, dict]:
        """The rows of the HPARAMS tab, by the run's name."""
        body = {"allowedStatuses": STATUSES, "startIndex": 0, "sliceSize": 99, "includeMetrics": True}
        groups = self._client.post("/data/plugin/hparams/session_groups", json=body).json["sessionGroups"]
        return {group["name"]: {**group, **group["sessions"][0]} for group in groups}

    def hparams_columns(self) -> set[str]:
        found = self._client.post("/data/plugin/hparams/experiment", json={}).json
        return {column["name"] for column in found["hparamInfos"]}

    def runs(self) -> list[str]:
        return sorted(self.get("runs"))

    def scalars(self, run: str, tag: str) -> list[tuple[int, float]]:
        return [(step, value) for _, step, value in self.get("plugin/scalars/scalars", run=run, tag=tag)]

    def histograms(self, run: str, tag: str) -> list[tuple[int, list]]:
        return [(step, buckets) for _, step, buckets in self.get("plugin/histograms/histograms", run=run, tag=tag)]

    def reload(self) -> None:
        """Read on, as an open page does by itself every few seconds."""
        self._board._ingester.deprecated_multiplexer.Reload()

    def close(self) -> None:
        handle = getattr(self._board._ingester, "_stdin_handle", None)
        if handle is not None:
            handle.close()  # ends the fast loader's process


@pytest.fixture
def tensorboard() -> Iterator[Callable[..., Page]]:
    """Open TensorBoard on a folder: by its Python loader, or by the fast one that `tensorboard` starts by default."""
    pages = contextlib.ExitStack()

    def open_page(folder: Path, *, fast_until: Callable[[Page], bool] | None = None) -> Page:
        if fast_until is None:
            page = Page(folder, "--load_fast=false", "--reload_task=blocking")
            pages.callback(page.close)
            return page
        pytest.importorskip("tensorboard_data_server")
        page = Page(folder, "--load_fast=true")
        pages.callback(page.close)
        deadline = time.monotonic() + 20
        while not fast_until(page):
            assert time.monotonic() < deadline, "TensorBoard's fast loader has not got that far in 20 s"
            time.sleep(0.05)
        return page

    with pages:
        yield open_page
