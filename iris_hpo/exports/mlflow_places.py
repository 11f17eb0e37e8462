"""Where MLflow keeps runs and their files: a new database is made whole, a moved one is refused."""

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final
from urllib.parse import urlparse
from urllib.request import url2pathname

from iris_hpo.errors import InputError
from iris_hpo.exports.places import check_database, reason_of, without_passwords
from iris_hpo.interrupts import held

_HALF_MADE: Final = re.compile(r"already exists|duplicate column|no such (table|column)")
"""What databases say of tables that a program was making when it was stopped."""


def open_database(place: str) -> None:
    """Connect to a database before MLflow does, which tries for minutes, and make its tables.

    Those of a new SQLite database are made in a file beside it, which is then moved to its place:
    MLflow can neither use a database with a part of its tables, nor complete it.

    Raises
    ------
    InputError
        If a program was stopped while it made the tables.
    """
    from alembic.util import CommandError
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    if not is_database(place):
        return
    file = _sqlite_file(place)
    if file and file.parent.is_dir() and not file.is_symlink() and _is_new(file):
        new = file.with_name(f".{file.name}.new")
        _remove(new)  # of an export that was killed
        try:
            with held():
                _make_tables(make_url(place).set(database=str(new)).render_as_string())
                new.replace(file)
        finally:
            _remove(new)
    check_database(place, "experiments")
    try:
        with held():
            _make_tables(place)
    except (SQLAlchemyError, CommandError) as error:
        reason = reason_of(error)
        if not _HALF_MADE.search(reason):
            raise
        raise InputError(
            f"{without_passwords(place)} has only a part of MLflow's tables ({reason}), as a "
            "stopped program leaves it: move it away, or give another database"
        ) from error


def is_database(place: str) -> bool:
    """Whether a tracking URI is that of a database, and not of a server."""
    from mlflow.store.db.db_types import DATABASE_ENGINES

    scheme, colon, _ = place.partition("://")
    return bool(colon) and scheme.partition("+")[0] in DATABASE_ENGINES


def _sqlite_file(place: str) -> Path | None:
    """Return the file of a database of SQLite, as the URI has it."""
    from sqlalchemy import make_url

    url = make_url(place)
    if url.get_backend_name() != "sqlite" or not url.database or url.query:
        return None
    return Path(url.database)


def _is_new(file: Path) -> bool:
    return not file.exists() or (file.is_file() and not file.stat().st_size)


def _remove(file: Path) -> None:
    """Remove a database, with the file that SQLite has beside one during a transaction."""
    file.unlink(missing_ok=True)
    file.with_name(f"{file.name}-journal").unlink(missing_ok=True)


def _make_tables(place: str) -> None:
    """Have MLflow open a database, which then gets its tables if it has none."""
    from mlflow import MlflowClient

    MlflowClient(place, place).search_experiments(max_results=1)


def check_location(place: str, name: str, location: str, runs: Collection[str]) -> None:
    """Refuse an experiment whose database was moved or copied without its files.

    MLflow stores with an experiment the absolute path of the folder for its files, by default below
    the folder in which a program works. It would go on to write there: into a folder that is gone,
    or that of the project which was copied. Servers and object storage do not move with a project.

    Parameters
    ----------
    location
        Where the files of the experiment are.
    runs
        Ids of its runs. Each that has files has a folder of that name.

    Raises
    ------
    InputError
        If its folder is gone, or another one beside the database or here has files of these runs.
    """
    url = urlparse(location)
    if not is_database(place) or url.scheme not in ("", "file") or not runs:
        return
    folder = Path(url2pathname(url.path if url.scheme else location))
    here = [Path.cwd()]
    if file := _sqlite_file(place):
        here.append(Path(os.path.realpath(file)).parent)
    homes = [parent / "mlruns" / folder.name for parent in here]
    others = [home for home in homes if os.path.realpath(home) != os.path.realpath(folder)]
    if homes[0] not in others:
        return
    copies = [home for home in others if any((home / run).is_dir() for run in runs)]
    if copies or not folder.is_dir():
        link = "" if folder.is_dir() else ", or make that folder a link to where its files are now"
        raise InputError(
            f"the experiment {name} of {without_passwords(place)} keeps its files in {folder}: the "
            "database was moved or copied since; give a new one, where all runs are written again"
            f"{link}"
        )
