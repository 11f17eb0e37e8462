"""Places that exports write to, which other tools open: databases by their URLs, and files."""

import re
import sys
from contextlib import suppress
from typing import Final

from iris_hpo.files import open_regular

_PASSWORD: Final = re.compile(r"(://[^\s/:]*):\S*@")


def without_passwords(text: str) -> str:
    """Return a place, or a message with places in it, without the passwords of URLs."""
    return _PASSWORD.sub(r"\1:***@", text)


def reason_of(error: Exception) -> str:
    """Say in one line why a place cannot be used, without passwords."""
    cause = getattr(error, "orig", None) or error  # SQLAlchemy's text has the SQL, too
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return without_passwords(" ".join(text.split()))


def check_file(path: str) -> None:
    """Refuse what is no regular file; it may be missing.

    Raises
    ------
    OSError
        If it is a device, a pipe or a folder, or cannot be read.
    """
    with suppress(FileNotFoundError), open_regular(path, sys.maxsize):
        pass


def check_database(url: str) -> None:
    """Connect to a database once: tools that open it try again and again, or give no reason.

    Raises
    ------
    OSError
        If the file of the database is not regular.
    ArgumentError, SQLAlchemyError, ImportError
        If there is no such database, or no driver for it.
    """
    from sqlalchemy import create_engine, inspect, make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        check_file(parsed.database)
    engine = create_engine(parsed)
    try:
        inspect(engine).get_table_names()  # alone a query reads the file
    finally:
        engine.dispose()
