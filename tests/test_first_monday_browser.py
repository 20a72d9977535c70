"""A newcomer's Monday (docs/guides/*/first-monday.md): an empty installation becomes two stations, five technicians and
twenty customers by spreadsheet; the first job is dispatched and closed. Only by what the pages show.
"""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from config import ROOT
from tests.conftest import PASSWORD
from tests.served import free_port
from tests.signing import sign
from tests.waiting import wait_until
from tests.workorders.test_tablet_browser import photo

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("monday")]
PATIENCE = 30_000
TECHNICIANS = [
    ("吴建国", "Wu Jianguo"), ("陆志明", "Lu Zhiming"), ("许强", "Xu Qiang"), ("韩冰", "Han Bing"), ("马超", "Ma Chao"),
]  # fmt: skip
STATIONS = ("WXXW", "SZYQ")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(address, one-time code) of `make run DEMO=0` on an empty folder."""
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FIELDSERVICE_")}
    environ["FIELDSERVICE_INSTANCE_PATH"] = str(tmp_path / "instance")
    log = tmp_path / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "fieldservice.serve", "--port", str(port)], cwd=ROOT, env=environ,
            stdout=out, stderr=out,
        )  # fmt: skip
    try:
        wait_until(lambda: "FieldService 360:" in log.read_text(), seconds=90, what="the server starts")
        code = re.search(r"one-time code +(\S+)", log.read_text())
        assert code is not None, log.read_text()
        yield f"http://127.0.0.1:{port}", code.group(1)
    finally:
        process.kill()
        process.wait(20)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_station_of_ones_own_starts_on_monday(
    browser: Browser, empty: tuple[str, str], language: str, tmp_path: Path, shots: Path
) -> None:
    base, code = empty
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale=locale)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    walk = Walk(page, base, language, shots)
    walk.set_up(code)
    walk.second_station()
    walk.hand_in("technicians", technicians(tmp_path))
    walk.roster()
    walk.hand_in("customers", customers(tmp_path))
    technician = walk.invited("technicians", TECHNICIANS[0][language == "en"])
    dispatcher = walk.account("desk@demo.example", "dispatcher")
    number, tracking = walk.report()
    context.close()
    walk.as_dispatcher(browser, dispatcher, number)
    walk.as_technician(browser, technician)
    walk.as_customer(browser, tracking)
    assert complaints == []


def technicians(folder: Path) -> Path:
    path = folder / "technicians.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        table.writerow(["code", "names_zh", "names_en", "station", "phone", "email", "skills"])
        for number, (zh, en) in enumerate(TECHNICIANS):
            station = STATIONS[0] if number < 3 else STATIONS[1]
            email = "tech@demo.example" if number == 0 else ""
            phone = f"1390000000{number}"
            table.writerow([f"T-{number + 1}", zh, en, station, phone, email, "gearbox:3; hydraulics:2"])
    return path


def customers(folder: Path) -> Path:
    path = folder / "customers.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        table.writerow(["code", "names_zh", "names_en", "tier", "industry", "language", "station"])
        for number in range(1, 21):
            names = (f"客户{number}号有限公司", f"Customer {number} Ltd")
            table.writerow([f"K-{number:03d}", *names, "standard", "general", "zh", STATIONS[number % 2]])
    return path


class Walk:
    """Somebody who has never seen the system."""

    def __init__(self, page: Page, base: str, language: str, shots: Path) -> None:
        self.page, self.base, self.language, self.shots = page, base, language, shots

    def look(self, page: Page, name: str) -> None:
        page.screenshot(path=str(self.shots / f"monday-{name}-{self.language}.png"), full_page=True)

    def set_up(self, code: str) -> None:
        """The guided set-up, from the one-time code to the end."""
        page = self.page
        page.goto(self.base)
        page.wait_for_url("**/setup/account")
        self.look(page, "1-account")
        for name, text in (("code", code), ("name", "王站长"), ("email", "wang@demo.example"), ("password", PASSWORD)):
            page.fill(f"[name={name}]", text)
        self.go_on("company")
        page.fill("[name=name_zh]", "锡工设备服务有限公司")
        page.fill("[name=name_en]", "Xigong Equipment Service")
        page.fill("[name=hotline]", "400-800-1234")
        self.go_on("language")
        page.locator(f"input[name=language][value={self.language}]").check()
        self.go_on("messages")
        self.go_on("backup")
        self.go_on("station")
        page.fill("[name=code]", STATIONS[0])
        page.fill("[name=name_zh]", "无锡新吴站")
        page.fill("[name=name_en]", "Wuxi Xinwu")
        page.fill("[name=place]", "新吴")
        page.click("button[name=find]")
        expect(page.locator("input[name=division_code]").first).to_be_checked()
        self.look(page, "2-station")
        self.go_on("finish")
        self.look(page, "3-finish")
        page.locator("main form .btn-primary").last.click()
        page.wait_for_url(lambda url: "/setup" not in url)  # whoever set up is signed in already
        page.goto(f"{self.base}/admin")
        self.look(page, "4-master-data")

    def go_on(self, step: str) -> None:
        self.page.locator("main form .btn-primary").last.click()
        self.page.wait_for_url(f"**/setup/{step}")

    def sign_in(self, page: Page, email: str) -> None:
        page.goto(f"{self.base}/login?lang={self.language}")
        page.fill("[name=email]", email)
        page.fill("[name=password]", PASSWORD)
        page.click("main form .btn-primary")
        page.wait_for_url(lambda url: "/login" not in url)

    def second_station(self) -> None:
        """By hand: the form asks for the place and the district."""
        page = self.page
        page.goto(f"{self.base}/admin/stations/new")
        for name, text in (("code", STATIONS[1]), ("names_zh", "苏州园区站"), ("names_en", "Suzhou Park"),
                           ("division_code", "320505")):  # fmt: skip
            page.fill(f"[name={name}]", text)
        self.look(page, "5-new-station")
        page.locator("main form .btn-primary").first.click()
        page.wait_for_url(re.compile(r"/admin/stations/\d+"))

    def hand_in(self, kind: str, table: Path) -> None:
        """A spreadsheet is checked first, then taken."""
        page = self.page
        page.goto(f"{self.base}/admin/{kind}/import")
        page.set_input_files("#file", table)
        page.locator("main form .btn-primary").click()
        page.wait_for_url("**/admin/imports/*")
        button = page.locator("form[action$='/start'] button")
        expect(button).to_be_visible(timeout=PATIENCE)
        self.look(page, f"6-checked-{kind}")
        button.click()
        expect(page.locator("form[action$='/undo'] button")).to_be_visible(timeout=PATIENCE)
        expect(page.locator(".admin-counts .kpi b").nth(4)).to_have_text("0")

    def roster(self) -> None:
        """Everybody of the first station, round the clock, so that the walk does not depend on the hour."""
        page = self.page
        page.goto(f"{self.base}/admin/roster")
        page.select_option("select[name=station]", STATIONS[0])
        page.locator("header form .btn").first.click()
        page.wait_for_url(f"**station={STATIONS[0]}*")
        for box in page.locator("input[name=technician]").all():
            box.check()
        for box in page.locator("input[name=weekday]").all():
            box.check()
        page.fill("[name=start]", "00:00")
        page.fill("[name=end]", "00:00")
        page.locator(".admin-fill .btn-primary").click()
        expect(page.locator(".admin-shift[data-draft]").first).to_be_visible()
        page.locator("form[action$='/roster/publish'] button").click()
        expect(page.locator(".admin-shift:not([data-draft])").first).to_be_visible()
        self.look(page, "7-roster")

    def account(self, email: str, role: str) -> str:
        """An account with an invitation to hand over; gives its address."""
        page = self.page
        page.goto(f"{self.base}/admin/people/new")
        page.fill("[name=email]", email)
        page.fill("[name=name]", email.split("@")[0].title())
        page.locator("select[name$='.role']").first.select_option(role)
        page.locator("select[name$='.station']").first.select_option(STATIONS[0])
        page.locator("main form .btn-primary").first.click()
        page.wait_for_url(re.compile(r"/admin/people/\d+"))
        return self.invite(role)

    def invited(self, kind: str, name: str) -> str:
        """The way in of somebody from the list; gives the address of the invitation."""
        self.page.goto(f"{self.base}/admin/{kind}")
        self.page.locator("main table a", has_text=name).first.click()
        return self.invite(kind)

    def invite(self, name: str) -> str:
        page = self.page
        page.locator("form[action$='/invite'] button").first.click()
        link = page.locator("code.admin-link")
        expect(link).to_be_visible()
        self.look(page, f"8-invited-{name}")
        return link.inner_text().strip()

    def report(self) -> tuple[str, str]:
        """A customer reports; gives number and address of the tracking page."""
        page = self.page
        page.goto(f"{self.base}/report")
        page.fill("#description", "2# 减速机输出轴往下滴油")
        page.locator("input[name=severity][value=degraded]").check()
        page.fill("[name=address]", "江苏省无锡市新吴区长江路18号")
        page.fill("[name=name]", "何工")
        page.fill("[name=phone]", "139 1234 0608")
        page.locator("form .btn-primary").last.click()
        page.wait_for_url("**/report/done/**")
        found = re.search(r"SR-\d{4}-\d{6}", page.locator("main").inner_text())
        assert found is not None
        page.click("main a.btn-primary")
        page.wait_for_url("**/t/**")
        return found.group(0), page.url

    def accepted(self, browser: Browser, invitation: str, email: str, size: tuple[int, int]) -> Page:
        """Whoever was invited chooses a password and signs in."""
        locale = "zh-CN" if self.language == "zh" else "en-GB"
        page = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=locale).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(invitation)
        page.fill("[name=password]", PASSWORD)
        page.fill("[name=again]", PASSWORD)
        page.locator("main form .btn-primary").click()
        page.wait_for_url("**/login*")
        self.sign_in(page, email)
        return page

    def as_dispatcher(self, browser: Browser, invitation: str, number: str) -> None:
        page = self.accepted(browser, invitation, "desk@demo.example", (1440, 900))
        page.goto(f"{self.base}/requests/{number}")
        self.look(page, "10-request")
        page.select_option("#work_type", "gearbox_seal_change")
        page.click(".wo-triage button.btn-primary")
        page.wait_for_url("**/work-orders/WO-*")
        order = page.url.split("/")[-1].split("?")[0]
        page.goto(f"{self.base}/dispatch?order={order}")
        expect(page.locator(".sg[data-first]")).to_be_visible()
        self.look(page, "11-suggestions")
        page.click(".sg[data-first] button")
        expect(page.locator(".tml-bar[aria-selected=true]")).to_be_visible()
        page.click("#drawer .visit .btn-primary")
        expect(page.locator("#drawer .visit .btn-primary")).to_have_count(0)

    def as_technician(self, browser: Browser, invitation: str) -> None:
        """From accepting to finishing, on the tablet."""
        page = self.accepted(browser, invitation, "tech@demo.example", (820, 1180))
        page.goto(f"{self.base}/tablet")
        for to, following in (("accepted", "en_route"), ("en_route", "on_site"), ("on_site", "in_progress"),
                              ("in_progress", "completed")):  # fmt: skip
            page.wait_for_timeout(750)  # a second press within 700 ms is taken for the same press
            page.locator(f"[data-step={to}]").first.click()
            if to == "en_route":
                page.click("[data-leave=all]")  # the tools are there, the customer expects the technician
            expect(page.locator(f"[data-step={following}]").first).to_be_visible()
            if to == "en_route":
                page.evaluate("location.hash = document.querySelector('a[href^=\"#visit\"]')?.hash || location.hash")
        self.look(page, "12-checklist")
        for box in page.locator("[id^=field-] input[inputmode=decimal]").all():
            box.fill("1")
            box.press("Enter")
        for moment in ("before", "after"):
            page.locator(f"#field-seal_{moment} input[type=file]").set_input_files(photo())  # type: ignore[arg-type]
        page.locator("#field-leak_point .tablet-options button").first.click()
        page.locator(".tablet-panel > .btn-block").click()
        page.click("[data-step=completed]")
        page.locator(".tablet-pattern").first.click()
        sign(page)
        page.click("[data-step=completed]")
        expect(page.locator(".tablet-foot .chip")).to_be_visible()
        expect(page.locator(".sync[data-s=ok]")).to_be_visible(timeout=PATIENCE)
        self.look(page, "13-done")

    def as_customer(self, browser: Browser, tracking: str) -> None:
        """The customer is content, and the job is closed."""
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(tracking)
        page.click("form[action*='sign'] button")
        expect(page.locator("form[action*='sign']")).to_have_count(0)
        self.look(page, "14-closed")
