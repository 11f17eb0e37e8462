"""Tables in files that are not CSV: Parquet and Arrow, read by pandas."""

import io
from typing import TYPE_CHECKING

import numpy as np

from iris_hpo.data.sources import FRAMES, DataFile, DatasetError

if TYPE_CHECKING:
    import pandas as pd


def read_frame(file: DataFile) -> "pd.DataFrame":
    """Read the content of a file.

    Raises
    ------
    DatasetError
        If the file is not of its format, or pyarrow is missing.
    """
    import pandas as pd

    name = FRAMES[file.kind]
    try:
        content = io.BytesIO(file.content.read())
        if name == "Parquet":
            return pd.read_parquet(content)
        return _read_stream(content) if _is_stream(content) else pd.read_feather(content)
    except DatasetError:
        raise
    except ImportError as error:
        raise DatasetError(
            str(file.path), f"{name} needs pyarrow: pip install 'iris_hpo[parquet]'"
        ) from error
    except Exception as error:  # pyarrow's errors share no base class
        raise DatasetError(str(file.path), f"is not {name}: {error}") from error


def _is_stream(content: io.BytesIO) -> bool:
    """Whether Arrow comes as a stream, not as a file with its table of contents."""
    return bytes(content.getbuffer()[:4]) == b"\xff\xff\xff\xff"


def _read_stream(content: io.BytesIO) -> "pd.DataFrame":
    import pyarrow.ipc

    with pyarrow.ipc.open_stream(content) as stream:
        return stream.read_pandas()


def text_of(cell: object) -> str:
    """Write a value of a frame as a cell."""
    # The exact value of a number of low precision, not the shortest text that rounds to it.
    return str(float(cell)) if isinstance(cell, np.floating) else str(cell)
