"""Which project a search of an instance belongs to: two with one name would undo each other.

Partitions are known by name alone. Two projects with a search of one name would each delete the
candidates of the other, at every tick of their sensors. So the first project keeps its folder with
the instance, and another one is refused, but only where it would change the candidates while the
first still has them. A moved or copied project, and several checkouts with the same parameter
files, go on without a word.
"""

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import dagster as dg

from iris_hpo.errors import InputError
from iris_hpo.orchestration.names import names_of
from iris_hpo.orchestration.partitions import pending_change
from iris_hpo.orchestration.resources import Storage
from iris_hpo.samplers.parameter_files import ParameterFiles, read_parameter_files
from iris_hpo.spec import SearchSpec
from iris_hpo.store.cards import fingerprint

FOLLOWED_SECONDS: Final = 120.0
"""How long a sensor's last tick stands for a project on a machine that cannot be looked at."""

_REFRESHED_SECONDS: Final = 30.0


@dataclass(frozen=True)
class _Claim:
    """A project that has a search.

    Attributes
    ----------
    folder, host
        Where the project is.
    parameters
        The folder of its parameter files.
    search
        Digest of what is searched; that of all copies of a project.
    database
        The folder of the instance's files: in a copy of an instance the claim is a copy too. Empty
        for a server.
    followed
        When a sensor last looked at the parameter files, in seconds since the epoch; 0 for never.
    """

    folder: str
    host: str
    parameters: str
    search: str
    database: str
    followed: float = 0.0

    def is_of(self, other: "_Claim") -> bool:
        """Whether both are the same project, or the same instance was copied with its project."""
        if self.database != other.database:
            return True
        if self.folder != other.folder:
            return False
        return self.host == other.host or self.search == other.search  # the next container's

    def is_live(self, host: str) -> bool:
        """Whether the project still has the search, as far as that can be known on a machine."""
        if self.host == host:
            return Path(self.folder).is_dir() and Path(self.parameters).is_dir()
        return time.time() - self.followed < FOLLOWED_SECONDS


def claim_search(
    instance: dg.DagsterInstance, spec: SearchSpec, storage: Storage, *, follows: bool = False
) -> None:
    """Note that a project has a search on an instance.

    Parameters
    ----------
    follows
        Whether a sensor calls, which will look again.

    Raises
    ------
    InputError
        If another project has a search of this name, and other candidates.
    """
    own, found, is_taken = _look(instance, spec, storage)
    if is_taken:
        return
    before = found.followed if found is not None and found.is_of(own) else 0.0
    late = follows and time.time() - before > _REFRESHED_SECONDS
    wanted = replace(own, followed=time.time() if late else before)
    if wanted == found:
        return
    with suppress(NotImplementedError):  # an instance without such a storage
        instance.daemon_cursor_storage.set_cursor_values(
            {claim_key(spec): json.dumps(asdict(wanted))}
        )
    if found is None or not found.is_of(own):
        check_claim(instance, spec, storage)  # another may have come at the same moment


def check_claim(instance: dg.DagsterInstance, spec: SearchSpec, storage: Storage) -> None:
    """Refuse to work on a search that another project has, with other candidates.

    Raises
    ------
    InputError
        That names both projects and what to do.
    """
    _look(instance, spec, storage)


def _look(
    instance: dg.DagsterInstance, spec: SearchSpec, storage: Storage
) -> tuple[_Claim, _Claim | None, bool]:
    """Return this project's claim, the stored one, and whether that is of another live project."""
    own = _own_claim(instance, spec, storage)
    found = _read(instance, spec)
    is_taken = found is not None and not found.is_of(own) and found.is_live(own.host)
    if found is not None and is_taken:
        _refuse_change(instance, spec, found, own)
    return own, found, is_taken


def _refuse_change(
    instance: dg.DagsterInstance, spec: SearchSpec, found: _Claim, own: _Claim
) -> None:
    """Refuse to change the candidates of another project; the same ones may be shared."""
    files = _read_files(Path(own.parameters), spec)
    keys = [candidate.key for candidate in files.candidates]
    if not pending_change(instance, names_of(spec), keys):
        return
    elsewhere = found.host != own.host
    if not elsewhere:
        with suppress(InputError):  # both may have been edited alike, and this one looks first
            if _read_files(Path(found.parameters), spec).digest == files.digest:
                return
    search = f"search {spec.name!r}" if spec.name else "search"
    away = "stop its sensors" if elsewhere else f"move {found.parameters} away"  # see `is_live`
    raise InputError(
        f"this Dagster instance already has the {search} of {found.folder}"
        + (f" on {found.host}" if elsewhere else "")
        + f", with other candidates; with those of {own.folder}, each project would delete the "
        "candidates of the other. Give this search another name, or this project an "
        f"instance of its own (DAGSTER_HOME); if {found.folder} no longer needs the search, {away}"
    )


def _own_claim(instance: dg.DagsterInstance, spec: SearchSpec, storage: Storage) -> _Claim:
    return _Claim(
        folder=os.path.realpath(spec.home),
        host=socket.gethostname(),
        parameters=os.path.realpath(storage.parameters_folder(spec)),
        search=fingerprint(
            data_file=spec.data_file,
            axes=[axis.identity() for axis in spec.axes],
            steps=[step.estimator for step in spec.steps],
        ),
        database=_database(instance),
    )


def _database(instance: dg.DagsterInstance) -> str:
    data = getattr(instance.run_storage, "inst_data", None)
    folder = data.config_dict.get("base_dir") if data is not None else None
    return os.path.realpath(folder) if isinstance(folder, str) else ""


def _read(instance: dg.DagsterInstance, spec: SearchSpec) -> _Claim | None:
    key = claim_key(spec)
    with suppress(NotImplementedError, ValueError, TypeError):  # or of another version
        found = instance.daemon_cursor_storage.get_cursor_values({key}).get(key)
        return _Claim(**json.loads(found)) if found else None
    return None


def _read_files(folder: Path, spec: SearchSpec) -> ParameterFiles:
    return read_parameter_files(folder, spec.space, max_candidates=spec.max_candidates)


def claim_key(spec: SearchSpec) -> str:
    """Name under which the instance keeps who has the search."""
    return f"iris_hpo/claim/{names_of(spec).partitions_name}"
