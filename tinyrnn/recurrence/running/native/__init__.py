"""The loop as code: a partitioned program written out as one Python function, and compiled by Numba."""
