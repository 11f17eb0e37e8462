"""Claims: which project owns a search of an instance.

Dagster knows assets and partitions only by name. Two projects with a search of the same name would
each delete the candidates of the other, at every tick of their sensors; with partitions of another
name, other data, settings or code, each would replace the results of the other. So the first
project stores its folder with the instance, under both names, and another project is refused, but
only if it would change the candidates or their results while the first still has them. A moved or
copied project, and several checkouts with the same files, work without a message. So does a project
that is edited in its folder, also in that of several containers which are updated one by one.

A code location keeps a description as it has loaded it, while runs and commands load it again. The
claim has the latest description, so that sensors of a process with an earlier one leave it alone.
"""

import json
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import dagster as dg

from iris_hpo.data.sources import file_digest
from iris_hpo.errors import InputError
from iris_hpo.orchestration.deciding import deciding_digests
from iris_hpo.orchestration.names import Names
from iris_hpo.orchestration.partitions import pending_change
from iris_hpo.orchestration.study import Study
from iris_hpo.samplers import PARAMETER_FILES
from iris_hpo.store.cards import fingerprint

FOLLOWED_SECONDS: Final = 120.0
"""Time after a sensor's last tick for which a project on another machine still owns the search."""

_REFRESHED_SECONDS: Final = 30.0

_LOADED: Final = time.time()
"""Time at which this process has loaded its descriptions, in seconds since the epoch."""

_WORKSPACE: Final = (
    "code locations of one workspace need two names, since Dagster gives the automatic selections "
    "of both to one of them; "
)


@dataclass(frozen=True)
class _Claim:
    """A project that owns a search.

    Attributes
    ----------
    folder, host
        Folder and machine of the project.
    parameters
        The folder of its parameter files; its own folder if it needs no files.
    search
        Digest of what is searched, the same for all copies of a project.
    database
        The folder of the instance's files, which shows that a claim was copied with its instance.
        Empty for a server.
    followed
        Time at which a sensor last read the parameter files, in seconds since the epoch; 0 for
        never.
    name, partitions
        Names of the search and of its partitions; None in claims of earlier versions.
    data
        Its data file; empty without one, and in claims of earlier versions.
    deciding
        What else decides its results, by `deciding_digests`; empty in claims of earlier versions.
    described
        Digest of the description, without source code, which all processes read as it is on disk;
        empty in claims of earlier versions.
    loaded
        Time at which a process has loaded that description; 0 in claims of earlier versions.
    """

    folder: str
    host: str
    parameters: str
    search: str
    database: str
    followed: float = 0.0
    name: str | None = None
    partitions: str | None = None
    data: str = ""
    deciding: Mapping[str, str] = field(default_factory=dict[str, str])
    described: str = ""
    loaded: float = 0.0

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
        return _seconds_from(self.followed) < FOLLOWED_SECONDS


def claim_search(study: Study, *, follows: bool = False) -> None:
    """Store that a project owns a search on an instance.

    Parameters
    ----------
    follows
        Whether a sensor calls, which will call again.

    Raises
    ------
    InputError
        If another project owns a search of this name or with these partitions, with other
        candidates or other results.
    """
    own, stored, is_taken = _look(study)
    if is_taken:
        return
    before = max(old.followed if old and old.is_of(own) else 0.0 for old in stored)
    late = follows and _seconds_from(before) > _REFRESHED_SECONDS
    claim = replace(
        own,
        followed=time.time() if late else before,
        loaded=max(
            old.loaded if old and old.described == own.described else _LOADED for old in stored
        ),
    )
    if all(old == claim for old in stored):
        return
    with suppress(NotImplementedError):  # an instance without such a storage
        study.instance.daemon_cursor_storage.set_cursor_values(
            dict.fromkeys(claim_keys(study.names), json.dumps(asdict(claim)))
        )
    if not all(old and old.is_of(own) for old in stored):
        check_claim(study)  # another project may have stored its claim at the same moment


def check_claim(study: Study) -> None:
    """Refuse to work on a search that another project owns, with other candidates or results.

    Raises
    ------
    InputError
        If another project owns the search; the message names both projects and what to do.
    """
    _look(study)


def loaded_later(study: Study) -> str:
    """What to do if a run or a command has loaded a later description of this search; or empty."""
    own = _own_claim(study)
    for old in _read(study):
        if old and old.is_of(own) and old.loaded > _LOADED and old.described != own.described:
            return (
                f"a run has read another description of the search in {own.folder} than this code "
                "location has loaded: reload the code location, in the UI or by a restart"
            )
    return ""


def _seconds_from(moment: float) -> float:
    """Time between a moment and now; the moment may be yet to come, if a clock was set back."""
    return abs(time.time() - moment)


def _look(study: Study) -> tuple[_Claim, list[_Claim | None], bool]:
    """Return this project's claim, the stored ones, and whether another live project stored one."""
    own, stored = _own_claim(study), _read(study)
    others = [old for old in stored if old and not old.is_of(own) and old.is_live(own.host)]
    for other in others:
        _refuse_change(study, other, own)
    return own, stored, bool(others)


def _refuse_change(study: Study, stored: _Claim, own: _Claim) -> None:
    """Refuse to change candidates or results of another project; the same ones may be shared."""
    elsewhere = stored.host != own.host
    harm = "replace the results"
    if stored.partitions not in (None, own.partitions):
        difference = f"the partitions {stored.partitions!r}; with {own.partitions!r}"
    elif _has_other_candidates(study, stored, own):
        harm = "delete the candidates"
        difference = "other candidates; with those"
    elif stored.search != own.search:
        difference = "another data file, estimator or axis; with those"
    elif differing := _differing(stored.deciding, own.deciding):
        difference = f"other {' and '.join(differing)}; with those"
    elif not elsewhere and _has_other_data(stored, own):
        difference = "other data; with those"
    else:
        return
    other_name, workspace = "Give this search another name", _WORKSPACE
    if stored.name not in (None, own.name):
        difference = f"the same partitions {own.partitions!r} and {difference}"
        other_name = f"Give the partitions of this search {own.name!r} another name"
        workspace = ""
    away = "stop its sensors" if elsewhere else f"move {stored.parameters} away"  # see `is_live`
    raise InputError(
        f"this Dagster instance already has the {_search_of(stored, own)} of {stored.folder}"
        + (f" on {stored.host}" if elsewhere else "")
        + f", with {difference} of {own.folder}, each project would {harm} of the other. "
        f"{other_name}, or this project an instance of its own (DAGSTER_HOME); {workspace}"
        f"if {stored.folder} no longer needs the search, {away}"
    )


def _has_other_candidates(study: Study, stored: _Claim, own: _Claim) -> bool:
    if not pending_change(study):
        return False
    both_read_files = study.sampling.reads_only_files and stored.parameters != stored.folder
    if stored.host == own.host and both_read_files:
        with suppress(InputError):  # both may have had the same edit, this project looks first
            theirs = study.sampling.source_of(Path(stored.parameters)).first()
            return theirs.digest != study.candidates.digest
    return True


def _differing(stored: Mapping[str, str], own: Mapping[str, str]) -> list[str]:
    """Name what differs of what both claims have; other versions may have more or less."""
    return [name for name in own if stored.get(name, own[name]) != own[name]]


def _has_other_data(stored: _Claim, own: _Claim) -> bool:
    """Whether both data files can be read, and differ."""
    if not stored.data or not own.data:
        return False
    with suppress(InputError):
        return file_digest(Path(stored.data)) != file_digest(Path(own.data))
    return False


def _search_of(stored: _Claim, own: _Claim) -> str:
    """Name the search of a claim."""
    name = own.name if stored.name is None else stored.name
    return f"search {name!r}" if name else "search"


def _own_claim(study: Study) -> _Claim:
    spec = study.spec
    needs_files = spec.sampler == PARAMETER_FILES and any(axis.domain is None for axis in spec.axes)
    listed_in = study.parameters_folder if needs_files else spec.home
    search = fingerprint(
        data_file=spec.data_file,
        **({"data_asset": spec.data_asset} if spec.data_asset else {}),
        axes=[axis.identity() for axis in spec.axes],
        steps=[spec.objective.use] if spec.objective else [step.estimator for step in spec.steps],
    )
    deciding = deciding_digests(spec)
    return _Claim(
        folder=os.path.realpath(spec.home),
        host=socket.gethostname(),
        parameters=os.path.realpath(listed_in),
        search=search,
        database=_database(study.instance),
        name=spec.name,
        partitions=study.names.partitions_name,
        data=os.path.realpath(study.data_file) if spec.has_table and not spec.data_asset else "",
        deciding=deciding,
        described=fingerprint(
            search=search,
            settings=deciding["settings"],
            split=deciding["split"],
            axes=[repr(axis) for axis in spec.axes],
            sampling=repr(spec.sampling),
        ),
    )


def _database(instance: dg.DagsterInstance) -> str:
    data = getattr(instance.run_storage, "inst_data", None)
    folder = data.config_dict.get("base_dir") if data is not None else None
    return os.path.realpath(folder) if isinstance(folder, str) else ""


def _read(study: Study) -> list[_Claim | None]:
    """Return the claims stored under both names, in the order of `claim_keys`."""
    keys = claim_keys(study.names)
    stored: Mapping[str, str] = {}
    with suppress(NotImplementedError):  # an instance without such a storage
        stored = study.instance.daemon_cursor_storage.get_cursor_values(set(keys))
    return [_parse(stored.get(key)) for key in keys]


def _parse(text: str | None) -> _Claim | None:
    with suppress(ValueError, TypeError):  # of another version
        return _Claim(**json.loads(text)) if text else None
    return None


def claim_keys(names: Names) -> tuple[str, str]:
    """Names under which the instance stores the claim: by the partitions, and by the assets."""
    assets = names.asset("models").to_user_string()
    return f"iris_hpo/claim/{names.partitions_name}", f"iris_hpo/claim_of_assets/{assets}"
