"""Take the pictures that the documentation shows: ``make screenshots``.

A real ``dagster dev`` runs on copies of the instance settings and the data. Its sensors do the
first search by themselves; then a headless Chromium visits the pages of the UI, and the page that
``iris-hpo report`` writes. Chromium has to be installed.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import APIRequestContext, Browser, Error, Page, expect, sync_playwright

PROJECT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = PROJECT / "docs" / "images"
SEARCH_SECONDS: Final = 300
STOP_SECONDS: Final = 30
SETTLE_MILLISECONDS: Final = 1500
CHROMIUM_FLAGS: Final = (
    "--no-sandbox",  # as root there is none; only the project's own pages are opened
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

# What the browser remembers of a user's choices in the UI.
VIEW: Final = {
    "dagster-nav-collapsed": "true",
    "collapsible-section-Status": "true",
    "asset-node-facets": '["description", "owner", "checks", "status", "kind-tag", "partitions"]',
}

STATE: Final = """{
  workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on PythonError { message } } } } }
  runsOrError { ... on Runs { results { status } } }
  assetOrError(assetKey: {path: ["selection"]}) { ... on Asset { assetMaterializations(limit: 1) {
    metadataEntries { label ... on TextMetadataEntry { text } } } } }
}"""


def find_chromium() -> str:
    """Find the browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium found; install it first")
    return chromium


def environment(folder: Path) -> dict[str, str]:
    """Return an environment with the instance, the data and the artifacts of a folder."""
    places = {"DAGSTER_HOME": "home", "IRIS_HPO_DATA": "data", "IRIS_HPO_ARTIFACTS": "artifacts"}
    return os.environ | {name: str(folder / place) for name, place in places.items()}


@contextmanager
def dagster_dev(folder: Path) -> Generator[str]:
    """Run Dagster on copies that it may change, and give its address."""
    home = folder / "home"
    home.mkdir()
    shutil.copy(PROJECT / ".dagster" / "dagster.yaml", home)
    shutil.copytree(PROJECT / "data", folder / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)],
            cwd=PROJECT,
            env=environment(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    except Exception:
        sys.stderr.write((folder / "log").read_text(errors="replace")[-5000:])
        raise
    finally:
        stop(server)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server, and whatever of its process group outlives it."""
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def wait_for_champion(request: APIRequestContext) -> str:
    """Wait until the sensors have done the first search; give the champion's partition key."""
    end = time.monotonic() + SEARCH_SECONDS
    while time.monotonic() < end:
        time.sleep(1)
        with suppress(Error):  # the server is not there yet
            data: dict[str, Any] = request.post("/graphql", data={"query": STATE}).json()["data"]
            for entry in data["workspaceOrError"]["locationEntries"]:
                if message := (entry["locationOrLoadError"] or {}).get("message"):
                    raise RuntimeError(message)
            states = {run["status"] for run in data["runsOrError"]["results"]}
            if "FAILURE" in states:
                raise RuntimeError("a run of the first search failed")
            for selection in data["assetOrError"].get("assetMaterializations", []):
                if states == {"SUCCESS"}:
                    entries = selection["metadataEntries"]
                    return next(entry["text"] for entry in entries if entry["label"] == "champion")
    raise TimeoutError(f"no selection within {SEARCH_SECONDS} seconds")


def visit(page: Page, path: str, *texts: str, width: int = 1400, height: int = 900) -> None:
    """Open a page and wait until it shows the texts and is complete."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto(path)
    for text in texts:
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    page.wait_for_load_state("networkidle")  # what arrives late closes menus and moves things


def save(page: Page, name: str, part: str = "body") -> None:
    """Take a picture of what the page, or a part of it, has settled to."""
    expect(page.locator("[class*=pinner]:visible")).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    page.locator(part).screenshot(path=IMAGES / f"{name}.png", animations="disabled")


def take(page: Page, champion: str) -> None:
    """Visit the pages that the documentation shows."""
    group = "/locations/iris_hpo/asset-groups/hyperparameter_search/lineage"
    visit(
        page, group, "raw_data", "selection", "100% filled", "5 / 5 Passed", width=1600, height=640
    )
    save(page, "graph")

    visit(
        page, f"/assets/models?view=partitions&partition={champion}", "support_vectors", height=640
    )
    save(page, "partitions")

    visit(page, f"/assets/scores?view=partitions&partition={champion}", "accuracy", "cv_mean")
    save(page, "candidate")

    visit(page, "/assets/scores", "Metadata", height=1200)
    page.get_by_text("Plots", exact=True).click()
    expect(page.locator("canvas").nth(3)).to_be_visible()
    save(page, "plots")

    visit(page, "/assets/selection", "leaderboard", "rank", "Show schema", height=1200)
    save(page, "selection")

    visit(page, "/assets/selection", "leaderboard", width=1700, height=1100)
    page.get_by_text("[Show Markdown]").click()
    expect(page.get_by_role("img", name="scores")).to_be_visible()
    save(page, "heatmap", ".dagster-dialog")

    visit(page, "/locations/iris_hpo/jobs/search/playground", "No errors", "folds", height=1050)
    page.get_by_placeholder("Partition").fill(champion)
    page.get_by_role("menuitem").get_by_text(champion, exact=True).click()
    expect(page.get_by_text(f"partition: {champion}")).to_be_visible()
    page.get_by_text("engine", exact=True).first.click()  # explains the section around the cursor
    page.mouse.move(0, 0)
    expect(page.get_by_text("candidate_timeout", exact=True)).to_be_visible()
    save(page, "launchpad")


def take_report(page: Page, folder: Path) -> None:
    """Take the upper part of the page of the selection."""
    file = folder / "report.html"
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "iris_hpo", "report", "--no-open", "--output", str(file)],
        cwd=PROJECT,
        env=environment(folder),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    page.set_viewport_size({"width": 1240, "height": 900})
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready=all]", state="attached")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    page.screenshot(path=IMAGES / "report.png")


def browse(browser: Browser, url: str, folder: Path) -> None:
    """Wait for the search, then take the pictures."""
    context = browser.new_context(base_url=url, locale="en-GB", timezone_id="UTC")
    context.add_init_script(
        "\n".join(f"localStorage.setItem({key!r}, {value!r})" for key, value in VIEW.items())
    )
    context.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    champion = wait_for_champion(context.request)
    take(context.new_page(), champion)
    take_report(context.new_page(), folder)


def main() -> None:
    """Take all pictures."""
    # Both end this process in order, so that Dagster is stopped; and Dagster is not to inherit an
    # ignored SIGINT, as background jobs have it: it would ignore SIGTERM as well.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))
    chromium = find_chromium()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="iris_hpo_") as folder,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS) as browser,
        dagster_dev(Path(folder)) as url,
    ):
        browse(browser, url, Path(folder))


if __name__ == "__main__":
    main()
