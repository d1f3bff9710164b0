"""Choosing settings by a score on images that are held out of training."""
