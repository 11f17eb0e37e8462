"""The project's own asset as the data of a search: its value, and the snapshot that is kept of it.

`raw_data` gets the value by the asset's own IO manager and stores it as a file (`SNAPSHOT`), which
is the data file of the search from then on. So workers, other machines, `predict` and the event log
deal with a file whose content has a digest, whatever the asset is, and they need neither the
asset's library nor its IO manager.
"""

import logging
import warnings
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg

from iris_hpo.data.snapshots import snapshot
from iris_hpo.data.sources import file_digest
from iris_hpo.errors import InputError
from iris_hpo.orchestration.names import CODE_VERSIONS
from iris_hpo.orchestration.record import Input, input_pointer, latest
from iris_hpo.store.digests import digest_of
from iris_hpo.text import names_for
from iris_hpo.training.artifacts import Workplace

if TYPE_CHECKING:
    from iris_hpo.orchestration.study import Study

SNAPSHOT: Final = "raw_data/data.arrow"


class DataAsset:
    """The asset that a search learns from.

    Parameters
    ----------
    study
        The search on its instance.

    Attributes
    ----------
    project
        Returns the definitions of the project, where the value may be loaded to plan a run; None in
        a run and in a sensor, which know only what was materialised.
    """

    def __init__(self, study: "Study", project: Callable[[], dg.Definitions] | None = None) -> None:
        self._study = study
        self.project = project
        self._file: Path | None = None
        self._loaded: int | None = None
        self._kept: bool | None = None

    @property
    def key(self) -> dg.AssetKey:
        """Key of the asset."""
        return dg.AssetKey.from_user_string(self._study.spec.data_asset)

    @property
    def source(self) -> str:
        """The asset, for messages."""
        return f"the asset {self._study.spec.data_asset}"

    def recorded(self) -> Input | None:
        """The latest materialisation of the asset."""
        return latest(self._study.instance, self.key, by_hand=True)

    def require(self) -> Input:
        """The latest materialisation of the asset.

        Raises
        ------
        InputError
            If there is none, or the project has no such asset; the message says what to do.
        """
        recorded = self.recorded()
        if recorded is None:
            if self.project is not None:
                self._project()  # a name that is no asset cannot be materialised
            name = self._study.spec.data_asset
            raise InputError(
                f"{self.source} was never materialised, and this search learns from it: "
                f"materialise it in the UI, or with: dg launch --assets {name} (in a project that "
                f"dg does not know: dagster asset materialize -m MODULE --select {name})"
            )
        return recorded

    @property
    def is_kept(self) -> bool:
        """Whether the stored snapshot is the recorded one, of the latest materialisation."""
        if self._kept is None:
            self._kept = self._is_kept()
        return self._kept

    @property
    def seen(self) -> int | None:
        """Event of the materialisation that `raw_data` took its snapshot of; None without one."""
        study = self._study
        return input_pointer(study.instance, study.names.asset("raw_data"), self.key)

    @property
    def path(self) -> Path:
        """The file with the data to work on: the snapshot, or the value that is newer.

        Raises
        ------
        InputError
            If there is neither, or the value cannot be loaded.
        """
        if self._file is None and self.project is not None:
            recorded = self.require()
            if not self.is_kept:
                self._file = self._write(self._content(self._load()))
                self._loaded = recorded.pointer
        if self._file is None:
            place = self._study.store.path(SNAPSHOT)
            if isinstance(place, Path):
                self._file = place
            else:
                self._file = self._write(self._study.store.read(SNAPSHOT))
        return self._file

    @contextmanager
    def naming(self) -> Generator[None]:
        """Name the asset instead of the file in the messages of the block."""
        try:
            yield
        except InputError as error:
            if self._file is None:
                raise
            message = str(error).replace(str(self._file), self.source)
            raise InputError(message, field=error.field) from error

    def keep(self, value: object) -> None:
        """Store the snapshot of a value, as the data of the study.

        Raises
        ------
        InputError
            If the value is no table.
        """
        self._keep(self._content(value))

    def keep_latest(self) -> None:
        """Store the snapshot of the latest value, which is loaded unless the plan has loaded it.

        Raises
        ------
        InputError
            If the value cannot be loaded, or is no table.
        """
        if self._file is not None and self._loaded == self.require().pointer:
            self._keep(self._file.read_bytes())
        else:
            self._keep(self._content(self._load()))

    def _keep(self, content: bytes) -> None:
        study = self._study
        known = file_digest(self._file) if self._file and self._file.is_file() else ""
        study.store.write(SNAPSHOT, content)
        place = study.store.path(SNAPSHOT)
        self._file = place if isinstance(place, Path) else self._write(content)
        self._kept, self._loaded = True, None
        if known != digest_of(content):
            study.forget_data()

    def _project(self) -> dg.Definitions:
        if self.project is None:
            raise InputError(f"{self.source} can be loaded only with its project")
        project = self.project()
        specs = _specs(project)
        if self.key not in specs:
            own = {self._study.names.asset(asset) for asset in CODE_VERSIONS}
            names = [key.to_user_string() for key in specs if key not in own]
            name = self._study.spec.data_asset
            raise InputError(
                f"the project has no asset {name!r}, which `data` names; "
                f"{names_for(name, sorted(names))}",
                field=("data", "asset"),
            )
        return project

    def _is_kept(self) -> bool:
        store, recorded = self._study.store, self._study.recorded("raw_data")
        if recorded is None or not store.exists(SNAPSHOT) or self.require().pointer != self.seen:
            return False
        place = store.path(SNAPSHOT)  # elsewhere the digest is compared when it is read
        return not isinstance(place, Path) or file_digest(place) == recorded.version

    def _load(self) -> object:
        """Load the value as a run does, by the asset's own IO manager."""
        project = self._project()
        try:
            with _quietly():
                return project.load_asset_value(self.key, instance=self._study.instance)
        except InputError:
            raise
        except Exception as error:  # an IO manager may raise anything
            reason = " ".join(str(error).split()) or type(error).__name__
            if self.key in _partitioned(project):
                reason += (
                    "; it has partitions: join them to one frame in another asset, and name that"
                )
            raise InputError(f"{self.source} cannot be loaded: {reason}") from error

    def _content(self, value: object) -> bytes:
        return snapshot(value, self.source)

    def _write(self, content: bytes) -> Path:
        """Write a file that lasts as long as this object."""
        workplace = Workplace()
        weakref.finalize(self, workplace.close)
        path = workplace.folder / Path(SNAPSHOT).name
        path.write_bytes(content)
        return path


def _specs(project: dg.Definitions) -> dict[dg.AssetKey, dg.AssetSpec | dg.SourceAsset]:
    """The assets of a project; any of them may have a value."""
    specs: list[dg.AssetSpec | dg.SourceAsset] = []
    for asset in project.assets or ():
        if isinstance(asset, dg.AssetsDefinition):
            specs += asset.specs
        elif isinstance(asset, (dg.AssetSpec, dg.SourceAsset)):
            specs.append(asset)
    return {spec.key: spec for spec in specs}


def _partitioned(project: dg.Definitions) -> set[dg.AssetKey]:
    return {key for key, spec in _specs(project).items() if spec.partitions_def is not None}


@contextmanager
def _quietly() -> Generator[None]:
    """Keep what Dagster says to its own developers from the terminal of a command."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.DEBUG))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=dg.BetaWarning, module=r"dagster\.")
            yield
    finally:
        logging.disable(before)
