import pytest
import torch

from normscope.probes.activations import activations
from tests.recorded import small_record


def test_the_first_images_of_the_batch_are_counted():
    record = small_record()
    found = activations(record, bins=10, images=5).histograms
    assert list(found) == ["activations/layer1", "activations/layer2", "activations/layer3"]
    outputs = record.layer_values("activations")["layer1"][:5]
    assert found["activations/layer1"].counts.sum() == outputs.numel() == 5 * 6 * 4 * 4
    torch.testing.assert_close(found["activations/layer1"].total, outputs.sum(), rtol=1e-6, atol=0)


@pytest.mark.parametrize(("bins", "images"), [(1, 4), (8, 0)])
def test_counts_that_show_nothing_are_refused(bins, images):
    with pytest.raises(ValueError, match=rf"bins \({bins}\) must be at least 2 and images \({images}\) at least 1"):
        activations(small_record(), bins=bins, images=images)
