"""What networks learn from: images and labels in memory, ready to be put on a device."""
