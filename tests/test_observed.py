import pytest

from normscope.report import main
from tests.fabricated import EXPERIMENT, arms, fabricate

BANDS = {"loss_landscape": (1.0, 2.0)}


@pytest.fixture
def quick(monkeypatch):
    """Pictures are drawn elsewhere; here the smallest PNG stands for each."""
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
    )

    def save(figure, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)

    monkeypatch.setattr("normscope.figures.look.save", save)


def runs(root):
    return [str(path) for path in sorted((root / EXPERIMENT).iterdir())]


@pytest.mark.usefixtures("quick")
def test_the_pictures_of_a_pair_lie_in_a_folder_of_their_own(tmp_path, capsys):
    arms(tmp_path, [0], bands=BANDS)
    assert main([*runs(tmp_path), "--outputs", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "reports").iterdir()
    assert folder.name == "vgg11-batch-laptop-seed0+vgg11-none-laptop-seed0"
    assert (folder / "along_gradient.png").exists()
    assert any("tfevents" in path.name for path in folder.iterdir())
    assert "along_gradient.png: The loss and its gradient along the gradient" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_a_folder_stands_for_the_runs_below_it(tmp_path):
    arms(tmp_path, [0], bands=BANDS)
    assert main([str(tmp_path / EXPERIMENT), "--outputs", str(tmp_path)]) == 0
    assert len(list((tmp_path / "reports").iterdir())) == 1


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda root: arms(root, range(3), bands=BANDS), "6 runs are too many"),
        (lambda root: fabricate(root, "batch", 0), "no probe has measured anything; train with probes"),
        (lambda root: (root / EXPERIMENT).mkdir(parents=True), "holds no run that has ended"),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path, capsys, prepare, message):
    prepare(tmp_path)
    assert main([str(tmp_path / EXPERIMENT), "--outputs", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "reports").exists()


@pytest.mark.usefixtures("quick")
def test_four_runs_of_long_names_share_a_folder_that_can_be_written(tmp_path):
    folders = [fabricate(tmp_path, "batch", seed, name=f"{'long' * 23}-{seed:08}", bands=BANDS) for seed in range(4)]
    assert main([*map(str, folders), "--outputs", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "reports").iterdir()
    assert [part[-9:] for part in folder.name.split("+")] == [f"-{seed:08}" for seed in range(4)]
