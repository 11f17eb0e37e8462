"""``iris-hpo export``: write the results of the last selection in the form of another tool."""

from contextlib import nullcontext
from pathlib import Path

from iris_hpo.command.outdated import outdated_note
from iris_hpo.command.output import complain, show, show_json
from iris_hpo.command.output import results as stdout
from iris_hpo.command.result_file import is_stdout, refuse_kept
from iris_hpo.command.session import open_study
from iris_hpo.command.turns import turn_to_export
from iris_hpo.errors import InputError
from iris_hpo.exports import export_of
from iris_hpo.orchestration.results import read_results
from iris_hpo.text import clean


def export_results(
    *,
    search: str | None,
    data: str | None,
    artifacts: str | None,
    kind: str,
    place: str | None,
    as_json: bool,
) -> int:
    """Write the results; return the exit code."""
    if is_stdout(place):
        place = None
    if place is None and (as_json or kind != "csv"):
        raise InputError(f"say where to: iris-hpo export --to {kind} PLACE")
    export = export_of(kind)
    with open_study(search, data, artifacts) as study:
        if note := outdated_note(study):
            complain(f"note: {note}")
        if place is not None:
            refuse_kept(Path(place), study)
            is_table = kind in ("csv", "parquet")  # a file that is replaced at once
            with nullcontext() if is_table else turn_to_export(complain):
                message = clean(export(read_results(study), place))
            if as_json:
                show_json({"to": kind, "place": place, "message": message})
            else:
                show(message)
            return 0
        results = read_results(study)
    from iris_hpo.exports.cv_results import cv_results
    from iris_hpo.selection.leaderboard import to_csv

    stdout().write(clean(to_csv(cv_results(results)).decode()))
    return 0
