"""What CIFAR-10 and CIFAR-100 share: one archive of pickled batches."""

from dataclasses import dataclass
from pathlib import Path

from normscope.data.cifar_files import Layout, read_archive, read_batches
from normscope.data.dataset import Split
from normscope.data.published import File, Published, check_file, checked, class_folders, fetched


@dataclass(frozen=True)
class Cifar:
    """One of the two."""

    published: Published
    file: File
    layout: Layout


def load(root: Path, cifar: Cifar, url: str) -> tuple[Split, Split]:
    """The whole training and test split from whatever form lies in `root`, checked.

    Raises:
        UsageError: if the data is missing and cannot be downloaded, or is damaged.
    """
    source, train, test = _found(root, cifar, url)
    return checked(source, cifar.published, train, test)


def _found(root: Path, cifar: Cifar, url: str) -> tuple[Path, Split, Split]:
    """Where the data lies, and both splits as they lie there."""
    layout = cifar.layout
    for folder in (root / layout.folder, root):
        if (folder / layout.train[0]).is_file() or (folder.name == layout.folder and folder.is_dir()):
            return folder, *read_batches(folder, layout)
    if root.is_file():
        check_file(root, cifar.file)
        return root, *read_archive(root, layout)
    path = root / cifar.file.name
    if not path.exists() and (found := class_folders(root, cifar.published)):
        return root, *found
    fetched(path, cifar.file, url, cifar.published, also=f"the unpacked {layout.folder}/, or ")
    return path, *read_archive(path, layout)
