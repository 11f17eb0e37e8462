"""The pickled work of a run as one file, whose arrays all worker processes of a machine share.

A worker maps the file instead of reading it: the arrays are in memory once, however many workers
there are. What a worker writes to an array, no other sees.
"""

import mmap
import pickle
from itertools import accumulate
from pathlib import Path
from typing import Final

_ALIGNMENT: Final = 64
"""Each array begins at a multiple of this number of bytes."""


def pack(work: object) -> bytes:
    """Pickle the work; its arrays stand behind the rest, as they are in memory.

    Returns
    -------
    bytes
        One line with the size of each part, then the parts, each padded.
    """
    buffers = list[pickle.PickleBuffer]()
    rest = pickle.dumps(work, protocol=5, buffer_callback=buffers.append)
    parts = [rest, *(buffer.raw() for buffer in buffers)]
    sizes = " ".join(str(len(part)) for part in parts)
    padded = list[bytes | memoryview]()
    for part in (f"{sizes}\n".encode(), *parts):
        padded += [part, bytes(_padded_size(len(part)) - len(part))]
    return b"".join(padded)


def unpack(path: Path) -> object:
    """Unpickle the work from a file with what `pack` returned."""
    with path.open("rb") as file:
        return unpack_from(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def unpack_from(packed: mmap.mmap | bytearray) -> object:
    """Unpickle the work from what `pack` returned, which the arrays keep and write to."""
    content = memoryview(packed)
    header = bytes(content[: packed.find(b"\n") + 1])
    sizes = [len(header), *map(int, header.split())]
    starts = accumulate(map(_padded_size, sizes), initial=0)
    _, rest, *buffers = (
        content[start : start + size] for start, size in zip(starts, sizes, strict=False)
    )
    return pickle.loads(rest, buffers=buffers)  # noqa: S301 - from our own process


def _padded_size(size: int) -> int:
    return -size % _ALIGNMENT + size
