"""Sequences as arrays: padding, batches, windows of a series, splits in time, vocabularies."""

from typing import TYPE_CHECKING, Any

from tinyrnn.autograd.elsewhere import DATA_NAMES, instead
from tinyrnn.data.batches import Batches, batches
from tinyrnn.data.buckets import Buckets, PaddedBatch, bucket_by_length
from tinyrnn.data.padding import pad_sequence
from tinyrnn.data.series import Streams, split_in_time, streams, windows_of
from tinyrnn.data.vocabulary import Vocabulary

__all__ = [
    "Batches",
    "Buckets",
    "PaddedBatch",
    "Streams",
    "Vocabulary",
    "batches",
    "bucket_by_length",
    "pad_sequence",
    "split_in_time",
    "streams",
    "windows_of",
]

if not TYPE_CHECKING:  # to whom all names would seem to be there

    def __getattr__(name: str) -> Any:
        raise AttributeError(instead("module 'tinyrnn.data'", name, DATA_NAMES))


def __dir__() -> list[str]:
    return sorted(__all__)
