"""Truncated backpropagation through time: windows over a long sequence or an endless stream."""
