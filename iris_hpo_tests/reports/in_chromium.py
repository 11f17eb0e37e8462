"""Pages of selections in a real Chromium without a network: ``make page``.

Opens pages of 77 and of 10,000 candidates and prints how long it took. Fails on an error in the
console, on a request, on a page that is slow to open, and if filters or sorting do not work.
Pictures of the pages, light, dark and as on a phone, are kept in the folder that is given.

    python -m iris_hpo_tests.reports.in_chromium [folder]
"""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect, sync_playwright

from docs.take_screenshots import CHROMIUM_FLAGS, find_chromium
from iris_hpo.reports.html import make_page
from iris_hpo.reports.page_facts import PageFacts
from iris_hpo_tests.reports.pages import many, mixed, svm

SECONDS: Final = 3
"""Time in which a page has to be drawn, of its own thread: other work does not count."""

PAGES: Final[Mapping[str, Callable[[], PageFacts]]] = {"77": svm, "10000": many, "four": mixed}
VIEWS: Final[Mapping[str, dict[str, Any]]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}
PAINTED: Final = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def look(browser: Browser, address: str, view: str, picture: Path) -> Page:
    """Open a page, and wait until all is drawn; print the time, and take a picture."""
    page = browser.new_context(offline=True, **VIEWS[view]).new_page()
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type != "log" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: problems.append(request.url) if request.url != address else None,
    )
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("html[data-ready=all]", state="attached")
    page.evaluate(PAINTED)
    wall = time.perf_counter() - started
    metrics = clock.send("Performance.getMetrics")["metrics"]
    seconds = next(each["value"] for each in metrics if each["name"] == "TaskDuration")
    print(f"{picture.stem}: {wall:.2f} s, {seconds:.2f} s of its thread")  # noqa: T201
    page.wait_for_timeout(500)
    page.screenshot(path=picture, full_page=True)
    assert not problems, problems
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), "it is too wide"
    assert seconds < SECONDS, "it is slow to open"
    return page


def use(page: Page) -> None:
    """Sort by a column, and filter."""
    first = page.locator(".slick-row").first
    best = first.inner_text()
    column = page.locator(".slick-header-column", has_text="fold mean")
    column.click()
    expect(first).not_to_have_text(best)
    column.click()
    page.locator("#count").click()  # where a finger meets the line on a phone
    started = time.perf_counter()
    page.fill("input[name=best]", "10")
    expect(page.locator("#count")).to_contain_text("10 of")
    expect(page.locator(".slick-row")).to_have_count(10)
    page.evaluate(PAINTED)
    print(f"  {time.perf_counter() - started:.2f} s to filter")  # noqa: T201
    page.locator("#filters [type=reset]").click()
    expect(page.locator("#count")).to_contain_text("all")


def main() -> None:
    """Look at all pages in all views."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS) as browser,
    ):
        for name, facts in PAGES.items():
            file = folder / f"{name}.html"
            file.write_bytes(make_page(facts()))
            for view in VIEWS:
                page = look(browser, file.as_uri(), view, folder / f"{name}_{view}.png")
                if view == "light":
                    use(page)
                page.context.close()


if __name__ == "__main__":
    main()
