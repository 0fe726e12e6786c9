"""The pages in a real Chromium: from upload to reliability, by keyboard, without a connection, and checked with axe.

Screenshots of every page, wide and narrow, light and dark, go to the folder that MSW_SCREENSHOTS names.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from msw_ml.formats.session_json import session_json
from msw_ml.session import ScoredSession
from msw_ml.settings import Settings
from serving import results, worker
from serving.results import MACHINE, PEAKS, RECORDING, Version, advance
from serving.store.sessions import Artefact, SessionRow, SessionState

WebDriverException = pytest.importorskip(
    "selenium.common.exceptions", reason="selenium is not installed: pip install selenium"
).WebDriverException
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
DATA = Path(__file__).parents[1] / "data"
CLIP, AXE = DATA / "short_visit.flac", DATA / "vendor" / "axe-4.14.1.min.js"
CSV = """speaker,role,text
Ann,worker,How have the mornings been since we last met?
Bea,parent,Better. I want him to get to school on time.
Ann,worker,So getting there on time matters to you.
Bea,parent,There is no point on Mondays though.
Ann,worker,Is there anything that would make Mondays easier?
Bea,parent,<b>Maybe</b> if his bag was packed the night before.
"""
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
DRIVER = shutil.which("chromedriver")


@pytest.fixture
def address(client, service) -> Iterator[str]:
    """The service on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(client.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def working(settings, service) -> Iterator[None]:
    """A real worker."""
    process = multiprocessing.get_context("spawn").Process(
        target=worker.run, args=(settings, Settings(threads=1), "w1")
    )
    process.start()
    yield
    process.terminate()
    process.join(10)


@pytest.fixture
def chromium(tmp_path) -> Iterator[object]:
    """A Chromium without a window."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("Chromium and chromedriver are not installed (Debian packages chromium and chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                 "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={tmp_path / 'profile'}"):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_window_size(1280, 900)
    driver.set_script_timeout(180)  # axe on a long page, while others use the machine
    yield driver
    driver.quit()


class Visit:
    """Somebody at the browser."""

    def __init__(self, driver, address: str) -> None:
        self.driver, self.address = driver, address
        self.folder = os.environ.get("MSW_SCREENSHOTS")
        self.problems: list[str] = []

    def sign_in(self, token: str) -> None:
        self.driver.delete_all_cookies()
        self.open("/sign-in")
        self.find("#token").send_keys(token)
        self.find(".door button").click()
        self.until(lambda: self.all("header.bar"))

    def open(self, path: str) -> None:
        self.driver.get(self.address + path)

    def find(self, css: str):
        return self.driver.find_element("css selector", css)

    def all(self, css: str) -> list:
        return self.driver.find_elements("css selector", css)

    def press(self, css: str) -> None:
        self.driver.execute_script("document.querySelector(arguments[0]).click()", css)

    def drop(self, file: Path) -> None:
        """Drags a file onto the page and lets go of it."""
        self.driver.execute_script(
            "const held = new DataTransfer(); held.items.add(new File([arguments[1]], arguments[0]));"
            "const drop = new DragEvent('drop', {dataTransfer: held, bubbles: true, cancelable: true});"
            "document.getElementById('upload').dispatchEvent(drop)",
            file.name, file.read_text(encoding="utf-8"),
        )  # fmt: skip

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def until(self, holds, seconds: float = 60):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            try:
                if found := holds():
                    return found
            except WebDriverException:
                pass
            time.sleep(0.1)
        self.shoot("stuck")
        raise AssertionError(f"never happened at {self.driver.current_url}: {self.find('body').text[:600]}")

    def shoot(self, name: str) -> None:
        if self.folder:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(Path(self.folder) / f"{name}.png"))

    def look(self, name: str) -> None:
        """Pictures wide and narrow, light and dark; what axe, the console and the width have to say is collected."""
        log = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        self.problems += [f"{name}: {line}" for line in log if "ERR_INTERNET_DISCONNECTED" not in line]
        for width, scheme in ((1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")):
            self.screen(width, scheme)
            self.problems += [f"{name}, {width} {scheme}: {found}" for found in self.axe()]
            wide = self.driver.execute_script("return document.documentElement.scrollWidth")
            if wide > width:
                self.problems.append(f"{name} is {wide} px wide on a screen of {width}")
            self.shoot(f"{name}-{width}-{scheme}")
        self.screen(1280, "light")
        self.driver.get_log("browser")  # axe tries inline styles in the waveform's shadow tree: its own fault

    def screen(self, width: int, scheme: str) -> None:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme_ = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme_)

    def axe(self) -> list[str]:
        """WCAG 2.2 A and AA violations, as `rule: element`."""
        self.driver.execute_script(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        run = "axe.run(document, {runOnly: arguments[0]}).then(arguments[1])"
        found = self.driver.execute_async_script(run, tags)["violations"]
        return [
            f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for one in found
            for node in one["nodes"]
        ]

    def offline(self, is_offline: bool) -> None:
        self.driver.execute_cdp_cmd("Network.enable", {})
        conditions = {"offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


@pytest.fixture
def visit(chromium, address) -> Visit:
    return Visit(chromium, address)


def ended(states: list[str]) -> list[str] | None:
    return states if set(states) <= {"Scored", "Failed", "Cancelled"} else None


def test_from_upload_to_reliability(visit, people, working, tmp_path):
    """Two files, dropped and chosen, their progress, the session, a blind review by keyboard through a lost connection,
    the comparison with an agreed code, and the reliability page; axe finds nothing on any page."""
    transcript = tmp_path / "visit one.csv"
    transcript.write_text(CSV, encoding="utf-8")
    visit.open("/sign-in")
    visit.look("1-sign-in")
    visit.sign_in(people.tokens["coder"])
    visit.look("2-library-empty")
    visit.drop(transcript)
    visit.find("#files").send_keys(str(CLIP))
    visit.until(lambda: len(visit.all("#rows tbody tr")) == 2)
    visit.look("3-library-progress")
    states = visit.until(lambda: (found := [one.text for one in visit.all("#rows .state")]) and ended(found), 200)
    assert states == ["Scored", "Scored"], visit.find("#rows").text
    visit.look("4-library")
    clip = visit.driver.execute_script(
        "const links = [...document.querySelectorAll('#rows th a')];"
        "return links.find(link => link.textContent.includes('short')).getAttribute('href')"
    )
    visit.open(clip)
    visit.until(
        lambda: (
            visit.find(".wave").get_attribute("hidden") is None
            and visit.driver.execute_script("return document.querySelector('.wave').childElementCount")
        )
    )
    visit.look("5-session-blind")
    assert not visit.all(".tag")

    visit.press("[hx-post$='/review']")
    visit.until(lambda: "/reviews/" in visit.driver.current_url)
    review = visit.driver.current_url.removeprefix(visit.address)
    visit.look("6-review")
    units = visit.all("[data-unit]")
    visit.driver.execute_script("arguments[0].focus()", units[0])
    visit.keys("1")
    visit.until(lambda: "saved" in visit.find("#saved").text)
    visit.offline(True)
    visit.keys("2")
    visit.until(lambda: "no connection" in visit.find("#saved").text)
    visit.shoot("7-review-offline")
    kept = visit.driver.execute_script("return localStorage.getItem(Object.keys(localStorage)[0])")
    assert len(json.loads(kept)["codes"]) == 1
    visit.offline(False)
    visit.until(lambda: "Everything is saved" in visit.find("#saved").text, 20)
    visit.driver.execute_script(
        "const unsent = {codes: {0: 'gone', 2: arguments[1]}, ratings: {}};"
        "localStorage.setItem(`msw-review-${arguments[0]}`, JSON.stringify(unsent))",
        review.rpartition("/")[2], "neutral",
    )  # fmt: skip
    visit.open(review)
    visit.until(lambda: "Everything is saved," in visit.find("#saved").text)
    units = visit.all("[data-unit]")
    assert len(visit.all(".unit.coded")) == 3, "what a closed tab had not sent was lost"
    visit.screen(390, "light")
    visit.press("[data-opens=codes-dialog]")
    visit.look("6-review-codes")
    visit.press("#codes-dialog [data-closes]")
    visit.driver.execute_script("arguments[0].focus()", units[3])
    for _ in units[3:]:
        visit.keys("1")
    visit.until(lambda: "Everything is saved" in visit.find("#saved").text)
    visit.press("#tab-ratings")
    for element in visit.all("[data-element]"):
        visit.driver.execute_script("arguments[0].querySelector('input[value=\"4\"]').click()", element)
    visit.until(lambda: "Everything is saved" in visit.find("#saved").text)
    visit.look("8-review-ratings")
    visit.open(review)
    assert len(visit.all(".unit.coded")) == len(units)
    visit.press("[data-opens=submit-dialog]")
    visit.until(lambda: visit.find("#left").text == "Every utterance has a code.")
    visit.look("9-review-submit")
    visit.press("#submit")
    visit.until(lambda: visit.driver.current_url.endswith("/compare"))
    visit.look("10-compare-coder")

    visit.sign_in(people.tokens["coach"])
    visit.open(f"{clip}?scores=show")
    visit.until(lambda: visit.driver.execute_script("return document.querySelector('.wave').childElementCount"))
    visit.look("11-session")
    visit.press(".counts .behind")
    visit.until(lambda: visit.find("#behind").get_attribute("open") is not None)
    visit.look("12-session-behind")
    visit.press("#behind .play")
    visit.until(lambda: visit.driver.execute_script("return document.querySelector('audio').currentTime > 0"))
    visit.press("#behind [data-closes]")
    visit.until(lambda: visit.driver.execute_script("return document.querySelector('audio').paused"))
    visit.driver.execute_script(
        "document.querySelector('audio').currentTime = 8; const speed = document.querySelector('[data-do=speed]');"
        "speed.value = '2'; speed.dispatchEvent(new Event('change'))"
    )
    visit.until(lambda: visit.find("#lines .now"))
    assert visit.driver.execute_script("return document.querySelector('audio').playbackRate") == 2
    visit.press("[data-edit]")
    visit.until(lambda: visit.find("#edit form"))
    visit.look("13-session-correct")
    visit.open(f"{review}/compare")
    visit.until(lambda: visit.all(".pair"))
    visit.press(".pair details summary")
    visit.find(".pair textarea").send_keys("The second half adds meaning.")
    visit.press(".pair form button")
    visit.until(lambda: "The second half adds meaning." in visit.find(".pair .sides").text)
    visit.look("14-compare")
    visit.open("/reliability")
    visit.look("15-reliability")
    visit.open("/jobs")
    visit.look("16-jobs")
    visit.sign_in(people.tokens["administrator"])
    visit.open("/administration")
    visit.look("17-administration")
    visit.press("form[hx-target='#token'] button")
    visit.until(lambda: re.match("msw_", visit.find("#secret").text))
    visit.look("18-token")
    visit.open("/administration/audit?check=yes")
    visit.look("19-audit")
    assert not visit.problems, "\n".join(visit.problems)


def long_session(scored: ScoredSession, utterances: int = 1500) -> ScoredSession:
    """Ninety minutes of somebody saying the same things again."""
    units = []
    for number in range(utterances):
        unit = scored.utterances[number % len(scored.utterances)]
        said = unit.utterance.model_copy(update={"id": number, "start": number * 3.6, "end": number * 3.6 + 3})
        units.append(unit.model_copy(update={"utterance": said}))
    recording = scored.recording.model_copy(update={"duration": utterances * 3.6})
    return scored.model_copy(update={"utterances": tuple(units), "recording": recording})


@pytest.fixture
def long(service, scored) -> str:
    with service.begin() as db:
        row = db.get_one(SessionRow, scored)
        made = long_session(results.current(service, db, row))
        version = Version(service.objects, row.id, advance(db, row, row.version))
        for name in (MACHINE, "session.json"):
            version.add(db, name, session_json(made))
        row.version, row.state, row.kind = version.number, SessionState.SCORED, "sound"
        row.duration = made.recording.duration
        drawn = json.dumps({"seconds": 0.1, "peaks": [(step * 37) % 200 for step in range(1500 * 36)]}).encode()
        for name, data in ((RECORDING, CLIP.read_bytes()), (PEAKS, drawn)):
            kept = service.objects.put(f"sessions/{row.id}/upload/{name}-of-ninety-minutes", data)
            db.merge(
                Artefact(session_id=row.id, version=0, name=name, key=kept.key, sha256=kept.sha256, size=kept.size)
            )
    return scored


def test_a_sign_is_heard_where_it_was_found(visit, people, client, long):
    """From an element, through its sign, to the sound of the utterance; the list says that it counts for nothing."""
    asked = {"version": 2, "changes": [{"field": "text", "utterance": 2, "value": "It's up to you how it goes."}]}
    headers = people.as_("administrator")
    assert client.patch(f"/v1/sessions/{long}", json=asked, headers=headers).status_code == 200
    visit.sign_in(people.tokens["coach"])
    visit.open(f"/sessions/{long}?scores=show")
    visit.press(".signs .behind")
    visit.until(lambda: "counted into no rating" in visit.find("#behind").text)
    assert "It's up to you how it goes." in visit.find("#behind .lines").text
    visit.look("19-session-sign")
    visit.press("#behind .play")
    visit.until(lambda: visit.driver.execute_script("return document.querySelector('audio').currentTime > 0"))
    visit.press("#behind [data-closes]")
    visit.until(lambda: visit.find("#behind").get_attribute("open") is None)
    assert not visit.problems, "\n".join(visit.problems)


@pytest.mark.parametrize("page", ["session", "review"])
def test_a_visit_of_ninety_minutes_opens_quickly(visit, people, long, page, record_property):
    """1,500 utterances: from the request to a page that answers to input, the best of three, in two seconds."""
    visit.sign_in(people.tokens["coach"])
    path = f"/sessions/{long}?scores=show"
    if page == "review":
        visit.open(f"/sessions/{long}")
        visit.press("[hx-post$='/review']")
        visit.until(lambda: "/reviews/" in visit.driver.current_url)
        path = visit.driver.current_url.removeprefix(visit.address)
    took = []
    for _ in range(3):
        visit.open(path)
        times = visit.driver.execute_async_script(
            "const done = arguments[0], loaded = performance.getEntriesByType('navigation')[0];"
            "requestIdleCallback(() => done([loaded.responseEnd, loaded.domInteractive, performance.now()]))"
        )
        took.append(times)
    visit.until(lambda: visit.driver.execute_script("return document.querySelector('.wave').childElementCount"))
    assert len(visit.all("#lines > li")) == 1500
    assert min(idle for _, _, idle in took) < 2000, took
    record_property("milliseconds: answered, interactive, idle", took)
    visit.shoot(f"long-{page}")


TAB, ENTER, SPACE = "\ue004", "\ue007", " "


def press_key(visit: Visit, key: str) -> None:
    """On the keyboard itself: an element to type into would take a key for text."""
    from selenium.webdriver import ActionChains

    ActionChains(visit.driver).send_keys(key).perform()


def landing(visit: Visit) -> str:
    """Where the keyboard is, by the text or the name of what has the focus."""
    return visit.driver.execute_script(
        "const one = document.activeElement;"
        "return one === document.body ? '' : (one.getAttribute('aria-label') || one.textContent || one.name).trim()"
    )


def tabbed(visit: Visit, until: str) -> list[str]:
    """What the tab key leads to, up to something; each has a visible focus."""
    stops: list[str] = []
    while not stops or until not in stops[-1]:
        press_key(visit, TAB)
        stops.append(landing(visit))
        outline = "return getComputedStyle(document.activeElement).outlineStyle"
        assert visit.driver.execute_script(outline) != "none", stops
        assert len(stops) < 60, stops
    return stops


def look_at_report(visit: Visit, folder: Path, name: str) -> None:
    """The report that is open, from a file: as the service sends it its sandbox lets no script run, axe neither."""
    file = folder / f"{name}.html"
    file.write_text(visit.driver.page_source, encoding="utf-8")
    visit.driver.get(file.as_uri())
    visit.look(name)


def test_a_manager_gets_to_the_groups_by_keyboard(visit, people, visits_of, tmp_path):
    """Signing in and the navigation lead there, and to no page that is empty for a manager; then to the report."""
    visits_of("north", 11)
    visits_of("south", 4)
    visit.sign_in(people.tokens["manager"])
    assert visit.driver.current_url.endswith("/groups")
    visit.open("/docs")
    stops = tabbed(visit, "Groups")
    assert stops == ["Skip to the content", "Motivational Social Work", "Groups"]
    press_key(visit, ENTER)
    visit.until(lambda: visit.driver.current_url.endswith("/groups"))
    assert visit.find("nav [aria-current]").text == "Groups"
    assert "1 group not shown" in visit.find("main").text
    visit.look("20-groups")
    tabbed(visit, "Skip to the content")
    press_key(visit, ENTER)
    assert landing(visit).startswith("Groups")
    tabbed(visit, "Open as a report")
    press_key(visit, ENTER)
    visit.until(lambda: visit.driver.current_url.endswith("/groups/report"))
    assert "11 visits by 11 workers" in visit.find("main").text
    look_at_report(visit, tmp_path, "21-groups-report")
    assert not visit.problems, "\n".join(visit.problems)


def test_too_few_workers_are_explained(visit, people, scored):
    """Instead of figures a sentence, on a page like all others."""
    visit.sign_in(people.tokens["manager"])
    visit.open("/groups")
    assert "at least 5 workers" in visit.find(".tip").text
    visit.look("22-groups-too-few")
    assert not visit.problems, "\n".join(visit.problems)


def test_reliability_by_keyboard(visit, people, client, scored, tmp_path):
    """From the navigation to the sessions, one of them ticked off and on, and on to the full report."""
    for coder in ("coder", "coder2"):
        headers = people.as_(coder)
        review = client.post("/v1/reviews", json={"session": scored}, headers=headers).json()["id"]
        said = {"codes": {"0": "question_open", "1": "change", "2": "reflection_simple"}, "ratings": {"empathy": 4}}
        assert client.put(f"/v1/reviews/{review}", json=said, headers=headers).status_code == 200
        client.post(f"/v1/reviews/{review}/submit", headers=headers)
    visit.sign_in(people.tokens["coder"])
    assert tabbed(visit, "Reliability")[-2:] == ["Jobs", "Reliability"]
    press_key(visit, ENTER)
    visit.until(lambda: visit.driver.current_url.endswith("/reliability"))
    assert visit.find("nav [aria-current]").text == "Reliability"
    visit.look("23-reliability")
    tabbed(visit, "session")
    box = visit.driver.switch_to.active_element
    press_key(visit, SPACE)
    assert not box.is_selected()
    press_key(visit, SPACE)
    assert box.is_selected()
    tabbed(visit, "Open the full report")
    press_key(visit, ENTER)
    visit.until(lambda: "/reliability/report?session=" in visit.driver.current_url)
    assert "coder2" in visit.find("body").text
    look_at_report(visit, tmp_path, "23b-reliability-report")
    assert not visit.problems, "\n".join(visit.problems)


def test_the_interface_is_read_by_keyboard(visit, people):
    """From the foot of a page to the description; a call opens with a key, links lead to values; without a connection
    to anywhere else, and for somebody who is not signed in."""
    visit.sign_in(people.tokens["coder"])
    tabbed(visit, "HTTP interface")
    press_key(visit, ENTER)
    visit.until(lambda: visit.driver.current_url.endswith("/docs"))
    visit.look("24-docs")
    upload = visit.find("#upload summary")
    visit.driver.execute_script("arguments[0].focus()", upload)
    press_key(visit, ENTER)
    assert visit.find("#upload").get_attribute("open") is not None
    assert "Idempotency-Key" in visit.find("#upload").text
    visit.driver.execute_script("document.getElementById('upload').scrollIntoView()")
    visit.look("25-docs-call")
    visit.driver.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    visit.look("26-docs-all-open")
    visit.driver.delete_all_cookies()
    visit.open("/docs")
    visit.look("27-docs-signed-out")
    loaded = "return performance.getEntriesByType('resource').map(one => new URL(one.name).origin)"
    assert set(visit.driver.execute_script(loaded)) == {visit.address}
    assert not visit.problems, "\n".join(visit.problems)
