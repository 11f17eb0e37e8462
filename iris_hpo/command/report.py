"""``iris-hpo report``: write the page of the last selection, and open it."""

import webbrowser
from pathlib import Path

from iris_hpo.command.outdated import outdated_note
from iris_hpo.command.output import complain, results, show, show_json
from iris_hpo.command.result_file import is_stdout, refuse_kept
from iris_hpo.command.session import open_study
from iris_hpo.orchestration.page import page_facts
from iris_hpo.reports.html import PAGE, check_installed, make_page
from iris_hpo.text import clean
from iris_hpo.writing import write_result


def write_report(
    *,
    search: str | None,
    data: str | None,
    artifacts: str | None,
    output: Path | None,
    is_opened: bool,
    as_json: bool,
) -> int:
    """Write the page into a file, by default beside the leaderboard, and open it."""
    check_installed()
    with open_study(search, data, artifacts) as study:
        if output:
            refuse_kept(output, study)
        page = make_page(page_facts(study, outdated_note(study)))
        name = f"selection/{PAGE}"
        if output is None:
            study.store.write(name, page)
        place = str(output or study.store.path(name))
    if output is not None:
        if is_stdout(output):
            results().write(page.decode())
            return 0
        write_result(output, page)
    if as_json:
        show_json({"file": place, "bytes": len(page)})
    else:
        show(clean(place))
    if is_opened:
        _open(place)
    return 0


def _open(place: str) -> None:
    """Open a file in a browser with windows; one that would take over the terminal is not used."""
    if "://" in place:
        complain("give --output FILE to open the page: it was written to object storage")
        return
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(Path(place).absolute().as_uri())
