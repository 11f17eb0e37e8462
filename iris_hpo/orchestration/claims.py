"""Claims: which project owns a search of an instance.

Dagster knows partitions only by name. Two projects with a search of the same name would each delete
the candidates of the other, at every tick of their sensors. So the first project stores its folder
with the instance, and another project is refused, but only if it would change the candidates while
the first still has them. A moved or copied project, and several checkouts with the same parameter
files, work without a message.
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
from iris_hpo.orchestration.names import Names
from iris_hpo.orchestration.partitions import pending_change
from iris_hpo.orchestration.study import Study
from iris_hpo.samplers import PARAMETER_FILES
from iris_hpo.store.cards import fingerprint

FOLLOWED_SECONDS: Final = 120.0
"""Time after a sensor's last tick for which a project on another machine still owns the search."""

_REFRESHED_SECONDS: Final = 30.0


@dataclass(frozen=True)
class _Claim:
    """A project that owns a search.

    Attributes
    ----------
    folder, host
        Folder and machine of the project.
    parameters
        The folder of its parameter files; its own folder if another sampler lists candidates.
    search
        Digest of what is searched, the same for all copies of a project.
    database
        The folder of the instance's files, which shows that a claim was copied with its instance.
        Empty for a server.
    followed
        Time at which a sensor last read the parameter files, in seconds since the epoch; 0 for
        never.
    """

    folder: str
    host: str
    parameters: str
    search: str
    database: str
    followed: float = 0.0

    def is_of(self, other: "_Claim") -> bool:
        """Whether both are the same project, or the instance was copied with its project."""
        if self.database != other.database:
            return True
        if self.folder != other.folder:
            return False
        return self.host == other.host or self.search == other.search  # of the next container

    def is_live(self, host: str) -> bool:
        """Whether the project still owns the search, as far as a machine can know."""
        if self.host == host:
            return Path(self.folder).is_dir() and Path(self.parameters).is_dir()
        return time.time() - self.followed < FOLLOWED_SECONDS


def claim_search(study: Study, *, follows: bool = False) -> None:
    """Store that a project owns a search on an instance.

    Parameters
    ----------
    follows
        Whether a sensor calls, which will call again.

    Raises
    ------
    InputError
        If another project owns a search of this name, with other candidates.
    """
    own, stored, is_taken = _look(study)
    if is_taken:
        return
    before = stored.followed if stored is not None and stored.is_of(own) else 0.0
    late = follows and time.time() - before > _REFRESHED_SECONDS
    claim = replace(own, followed=time.time() if late else before)
    if claim == stored:
        return
    with suppress(NotImplementedError):  # an instance without such a storage
        study.instance.daemon_cursor_storage.set_cursor_values(
            {claim_key(study.names): json.dumps(asdict(claim))}
        )
    if stored is None or not stored.is_of(own):
        check_claim(study)  # another project may have stored its claim at the same moment


def check_claim(study: Study) -> None:
    """Refuse to work on a search that another project owns, with other candidates.

    Raises
    ------
    InputError
        If another project owns the search; the message names both projects and what to do.
    """
    _look(study)


def _look(study: Study) -> tuple[_Claim, _Claim | None, bool]:
    """Return this project's claim, the stored one, and whether another live project stored it."""
    own, stored = _own_claim(study), _read(study)
    is_taken = stored is not None and not stored.is_of(own) and stored.is_live(own.host)
    if stored is not None and is_taken:
        _refuse_change(study, stored, own)
    return own, stored, is_taken


def _refuse_change(study: Study, stored: _Claim, own: _Claim) -> None:
    """Refuse to change the candidates of another project; the same ones may be shared."""
    if not pending_change(study):
        return
    elsewhere = stored.host != own.host
    if not elsewhere and study.sampling.reads_only_files:
        with suppress(InputError):  # both may have had the same edit, and this project looks first
            theirs = study.sampling.source_of(Path(stored.parameters)).first()
            if theirs.digest == study.candidates.digest:
                return
    name = study.spec.name
    search = f"search {name!r}" if name else "search"
    away = "stop its sensors" if elsewhere else f"move {stored.parameters} away"  # see `is_live`
    raise InputError(
        f"this Dagster instance already has the {search} of {stored.folder}"
        + (f" on {stored.host}" if elsewhere else "")
        + f", with other candidates; with those of {own.folder}, each project would delete the "
        "candidates of the other. Give this search another name, or this project an "
        f"instance of its own (DAGSTER_HOME); if {stored.folder} no longer needs the search, {away}"
    )


def _own_claim(study: Study) -> _Claim:
    spec = study.spec
    listed_in = study.parameters_folder if spec.sampler == PARAMETER_FILES else spec.home
    return _Claim(
        folder=os.path.realpath(spec.home),
        host=socket.gethostname(),
        parameters=os.path.realpath(listed_in),
        search=fingerprint(
            data_file=spec.data_file,
            **({"data_asset": spec.data_asset} if spec.data_asset else {}),
            axes=[axis.identity() for axis in spec.axes],
            steps=[spec.objective.use]
            if spec.objective
            else [step.estimator for step in spec.steps],
        ),
        database=_database(study.instance),
    )


def _database(instance: dg.DagsterInstance) -> str:
    data = getattr(instance.run_storage, "inst_data", None)
    folder = data.config_dict.get("base_dir") if data is not None else None
    return os.path.realpath(folder) if isinstance(folder, str) else ""


def _read(study: Study) -> _Claim | None:
    key = claim_key(study.names)
    with suppress(NotImplementedError, ValueError, TypeError):  # or of another version
        stored = study.instance.daemon_cursor_storage.get_cursor_values({key}).get(key)
        return _Claim(**json.loads(stored)) if stored else None
    return None


def claim_key(names: Names) -> str:
    """Name under which the instance stores the claim of a search."""
    return f"iris_hpo/claim/{names.partitions_name}"
