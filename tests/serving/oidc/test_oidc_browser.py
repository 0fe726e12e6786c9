"""The walk through the organisation's sign-in in a real Chromium: cookies and content policy as browsers have them."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from serving.settings import ServiceSettings
from serving.store.people import Person

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning"),
]
AXE = Path(__file__).parents[2] / "data" / "vendor" / "axe-4.14.1.min.js"
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
DRIVER = shutil.which("chromedriver")


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def settings(settings, provider, port) -> ServiceSettings:
    """`localhost` and not 127.0.0.1: to the browser the provider is another site."""
    return settings.model_copy(update=provider.settings(f"http://localhost:{port}"))


@pytest.fixture
def address(client, port) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(client.app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://localhost:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def chromium(tmp_path) -> Iterator[object]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("Chromium and chromedriver are not installed (Debian packages chromium and chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                 "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
                 f"--user-data-dir={tmp_path / 'profile'}"):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.implicitly_wait(10)
    yield driver
    driver.quit()


def picture(driver, name: str) -> None:
    if folder := os.environ.get("MSW_SCREENSHOTS"):
        driver.get_screenshot_as_file(str(Path(folder) / f"{name}.png"))


def test_from_the_button_to_the_page_that_was_wanted(chromium, address, provider, service, people):
    """Another site's login form, and back into the very page; out again there, too; nothing is blocked on the way."""
    provider.add("kim-1", {"email": "kim@county.example", "email_verified": True})
    with service.begin() as db:
        db.get_one(Person, people.ids["administrator"]).sign_in_name = "kim@county.example"
    chromium.get(f"{address}/administration")
    assert chromium.current_url.endswith("/sign-in?next=/administration")
    for width in (1280, 390):
        chromium.set_window_size(width, 900)
        picture(chromium, f"sign-in-organisation-{width}")
        chromium.execute_script(AXE.read_text(encoding="utf-8"))
        found = chromium.execute_async_script("axe.run().then(r => arguments[0](r.violations.map(v => v.id)))")
        assert found == []
    chromium.find_element("link text", "Sign in with your organisation").click()
    assert chromium.current_url.startswith(provider.address)
    chromium.find_element("name", "sub").send_keys("kim-1")
    chromium.find_element("css selector", "form button").click()
    deadline = time.monotonic() + 10
    while not chromium.current_url.endswith("/administration") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert chromium.current_url == f"{address}/administration"
    names = chromium.find_elements("name", "sign_in_name")
    assert "kim@county.example" in [one.get_attribute("value") for one in names]
    picture(chromium, "administration-sign-in-names")
    chromium.find_element("css selector", ".me button").click()
    chromium.find_element("xpath", "//button[text()='End session']")  # the content policy lets the browser go there
    assert chromium.current_url.startswith(f"{provider.address}/oauth2/end_session?")
    chromium.find_element("css selector", "form button").click()
    assert chromium.find_element("css selector", ".door p").text == "Here, and at your organisation."
    picture(chromium, "signed-out-organisation")
    chromium.get(f"{address}/library")
    assert "/sign-in" in chromium.current_url
    blocked = [
        one["message"] for one in chromium.get_log("browser") if one["level"] == "SEVERE" and address in one["message"]
    ]
    assert blocked == []
