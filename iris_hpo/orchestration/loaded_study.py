"""`LoadedStudy`: the results of a search for programs, only what the event log vouches for."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

from iris_hpo.errors import InputError
from iris_hpo.orchestration.page import champion_facts
from iris_hpo.orchestration.record import data_versions
from iris_hpo.orchestration.study import Study
from iris_hpo.reports.html import check_installed
from iris_hpo.selection.champion import CHAMPION
from iris_hpo.selection.estimates import Estimate, NoEstimate
from iris_hpo.selection.leaderboard import LEADERBOARD, read_csv, typed
from iris_hpo.selection.sentences import estimate_of
from iris_hpo.space.values import Value
from iris_hpo.store.cards import read_recorded_card
from iris_hpo.store.folder import read_verified
from iris_hpo.text import legible, listed
from iris_hpo.training.cards import ModelCard, load_model, model_card_name, model_name
from iris_hpo.training.origin import Origin

if TYPE_CHECKING:
    import pandas as pd


class LoadedStudy:
    """The results of a search, as its last selection recorded them.

    The record is read once; files are read when they are needed, and compared with the digests that
    the event log vouches for before anything is unpickled.

    Parameters
    ----------
    study
        The search on its instance.

    Raises
    ------
    InputError
        If nothing was selected yet, or the files are not those that were recorded.
    """

    def __init__(self, study: Study) -> None:
        self._spec = study.spec
        self._store = study.store
        self._card = study.champion()
        self._versions = data_versions(study.instance, study.names.asset("models"))

    def __repr__(self) -> str:
        return f"LoadedStudy({self._spec.name!r}, champion {self.champion_key})"

    @property
    def champion_key(self) -> str:
        """Key of the champion, such as ``C32.0_G0.016``."""
        return self._card.key

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The champion's parameters, by the names of the axes."""
        return dict(self._card.parameters)

    @property
    def estimate(self) -> Estimate | NoEstimate:
        """The champion's score on new rows, with its 95 % interval, or why there is no estimate."""
        return estimate_of(self._card)

    @property
    def score(self) -> float:
        """The champion's score on the test rows."""
        return self._card.score

    @cached_property
    def champion(self) -> object:
        """The champion's model; trained on all rows, if the search refits it.

        Raises
        ------
        InputError
            If its file was changed, or was made with other source code or versions of its packages.
        """
        content = read_verified(self._store, CHAMPION, self._card.digest)
        self._origin.check_made_with("the champion", self._card.versions, self._card.source)
        return load_model(content)

    def model(self, candidate: str) -> object:
        """Load a candidate's model, as it was scored.

        Parameters
        ----------
        candidate
            Key of the candidate, as in the leaderboard.

        Raises
        ------
        InputError
            If there is no such model, its file was changed, or it was made with other source
            code or versions of its packages.
        """
        version = self._versions.get(candidate)
        if version is None:
            raise InputError(
                f"there is no model of the candidate {legible(candidate)}; the nearest are "
                f"{listed(get_close_matches(candidate, sorted(self._versions), 5, 0))}"
            )
        card = read_recorded_card(self._store, model_card_name(candidate), ModelCard, version)
        content = read_verified(self._store, model_name(candidate), card.digest)
        self._origin.check_made_with(f"the model of {candidate}", card.versions, card.source)
        return load_model(content)

    def frame(self) -> "pd.DataFrame":
        """Return the leaderboard, a row per candidate, best first.

        Columns are those of ``selection/leaderboard.csv``, with values of their types; what a
        candidate lacks is missing.
        """
        import pandas as pd

        return pd.DataFrame(self._rows())

    def figures(self, *names: str) -> Any:
        """Make plots of the selection's page, for `bokeh.io.show`; a choice in one shows in all.

        Parameters
        ----------
        names
            Which plots, of those that the leaderboard has: ``map`` over both axes if there are two,
            ``leaderboard``, ``slices`` over each axis, ``parallel`` coordinates, and ``importance``
            of the axes. By default all.

        Raises
        ------
        InputError
            If there is no such plot, or Bokeh is not installed.
        """
        check_installed()
        from bokeh.layouts import column

        from iris_hpo.reports.columns import Columns
        from iris_hpo.reports.plots import Plots

        facts = champion_facts(self._spec, self._card, self._rows(), answer=())
        sections = Plots(Columns(facts)).make()
        for name in names:
            if name not in sections:
                raise InputError(
                    f"there is no plot {legible(name)}; there are {listed([*sections])}"
                )
        plots = [plot for name in names or sections for plot in sections[name]]
        return column(plots, sizing_mode="stretch_width")

    def _rows(self) -> list[dict[str, Value]]:
        content = read_verified(self._store, LEADERBOARD, self._card.leaderboard_digest)
        return [typed(row, self._spec.space) for row in read_csv(content)]

    @property
    def _origin(self) -> Origin:
        return self._spec.make_objective().origin
