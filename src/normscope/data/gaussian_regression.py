"""A linear map to be found from examples: `dataset=gaussian_regression`."""

import torch

from normscope.data.dataset import Dataset, Split


def gaussian_regression(
    dimensions: int = 10,
    train_size: int = 1000,
    test_size: int = 1000,
    validation: int = 0,
    seed: int = 0,
) -> Dataset:
    """Inputs x with targets A x: every number of x and of the square matrix A is drawn from N(0, 1).

    Santurkar et al. 2018, arXiv:1805.11604, appendix A.1: the task of the deep linear network, with 10 dimensions and
    1000 samples. The test inputs are others, A is the same. All numbers come from one generator, in double precision.

    Args:
        dimensions: D; x is (N, D, 1, 1) and A x is (N, D), float32.
        train_size, test_size, validation: samples of each split.
        seed: of A and of all x; runs of different seeds share them unless it is changed.
    Raises:
        ValueError: if a size or the seed is out of range.
    """
    if dimensions < 1 or train_size < 1 or test_size < 1 or validation < 0:
        raise ValueError(
            f"dimensions ({dimensions}), train_size ({train_size}) and test_size ({test_size}) must be at least 1, "
            f"validation ({validation}) 0"
        )
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed ({seed}) must lie within 0 and 2^63 - 1")
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(dimensions, dimensions, generator=generator, dtype=torch.float64)

    def drawn(count: int) -> Split:
        x = torch.randn(count, dimensions, generator=generator, dtype=torch.float64)
        return Split(x.float()[:, :, None, None], (x @ a.T).float())

    outputs = tuple(f"y{number}" for number in range(1, dimensions + 1))
    train, test = drawn(train_size), drawn(test_size)
    return Dataset("gaussian_regression", outputs, train, test, drawn(validation) if validation else None)
