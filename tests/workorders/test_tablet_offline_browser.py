"""The tablet without a network, for a day and longer: it opens, changes hands, is renewed, filled up and broken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from fieldservice.accounts.models import SignIn
from fieldservice.accounts.services import create_user
from fieldservice.foundation.db import db, session, write
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders.models import PartUse, TabletCommand
from fieldservice.workorders.tablet import shell
from fieldservice.workorders.tablet.devices import ask_to_sign_out
from fieldservice.workorders.tablet.models import TabletDevice
from tests.conftest import PASSWORD
from tests.served import Served
from tests.waiting import wait_until
from tests.workorders.on_tour import Tour, another_technician, make_tour
from tests.workorders.tablet_faults.proxy import NO_FAULTS, Proxy
from tests.workorders.test_tablet_browser import SIZES, Tablet, fresh, photo

pytestmark = pytest.mark.browser
READY = "navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))"
APP = "document.getElementById('tablet').app"
NOTE = f"words => {APP}.record('note', {APP}.shown.visits[0], {{ words }})"

PHOTO = f"""async () => {{
  const canvas = Object.assign(document.createElement('canvas'), {{ width: 64, height: 48 }});
  canvas.getContext('2d').fillRect(0, 0, 64, 48);
  const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg'));
  await {APP}.addUpload('photo', {APP}.shown.visits[0], await blob.arrayBuffer(), 'photo.jpg', {{}});
}}"""
# As a browser does whose memory is full: the request fails and takes its transaction with it.
FULL = """() => { window.realAdd = IDBObjectStore.prototype.add;
  IDBObjectStore.prototype.add = function () {
    this.transaction.abort();
    throw new DOMException('full', 'QuotaExceededError');
  }; }"""


@pytest.fixture
def tour(sqlite_app: Flask) -> Tour:
    made = make_tour(password=PASSWORD)
    station = made.station_id
    xu = another_technician(made).id
    write(
        lambda: create_user(
            email="xu@demo.test", name="许晓峰", password=PASSWORD, grants=[("technician", station)], technician_id=xu
        )
    )
    return made


@pytest.fixture
def served(sqlite_app: Flask, tour: Tour, tmp_path: Path) -> Iterator[Served]:
    session.rollback()
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


@pytest.fixture
def line(served: Served) -> Iterator[Proxy]:
    with Proxy(served.port, 1, NO_FAULTS) as running:
        yield running


class Kept(Tablet):
    """Lu's tablet with its service worker at work, over a line that can be cut."""

    def __init__(self, browser: Browser, line: Proxy, language: str = "zh", size: tuple[int, int] = SIZES[0]) -> None:
        self.line = line
        super().__init__(browser, line, language, size)  # type: ignore[arg-type]  # whatever has a port
        wait_until(lambda: self.page.evaluate(READY), what="the service worker has the page")

    def note(self, words: str) -> None:
        self.page.evaluate(NOTE, words)

    def tap_menu(self, item: str) -> None:
        self.page.click("#tablet-header .avatar")
        self.page.click(item)


def notes() -> list[str]:
    session.rollback()
    rows = session.query(TabletCommand).filter_by(kind="note").order_by(TabletCommand.id)
    return [str(row.payload["words"]) for row in rows]


def all_sent(page: Page, words: str = "已全部上传") -> None:
    expect(page.locator(".sync")).to_contain_text(words, timeout=30_000)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_app_opens_and_works_without_a_network(
    browser: Browser, line: Proxy, tour: Tour, language: str, shots: Path
) -> None:
    tablet = Kept(browser, line, language)
    tablet.page.close()
    tablet.context.set_offline(True)
    tablet.page = page = tablet.context.new_page()
    page.goto(f"{tablet.base}/tablet")
    expect(page.locator(".tablet-next")).to_be_visible()
    tablet.to_work()
    tablet.read("oil_temperature", "61")
    page.reload()
    expect(page.locator("#field-oil_temperature .tol circle")).to_be_visible()
    page.click(".sync")
    expect(page.locator("dialog .tablet-kept")).to_be_visible()
    tablet.look(shots / f"tablet-outbox-{language}.png")
    page.keyboard.press("Escape")
    tablet.context.set_offline(False)
    all_sent(page, "已全部上传" if language == "zh" else "All sent")
    assert fresh(tour).state == "in_progress"
    assert tablet.complaints == []


def test_a_newer_version_waits_until_somebody_says_so(browser: Browser, line: Proxy, tour: Tour) -> None:
    tablet = Kept(browser, line)
    page = tablet.page
    line.down = True
    tablet.note("before the update")
    line.instead = (shell.version().encode(), b"0123456789abcdef")
    page.evaluate("navigator.serviceWorker.getRegistration('/tablet').then(one => one.update())")
    expect(page.locator(".sync")).to_contain_text("请更新")
    assert page.evaluate("caches.keys()").count("tablet shell 0123456789abcdef") == 1
    page.click(".sync")
    with page.expect_navigation():
        page.click("dialog .btn-primary >> nth=0")
    expect(page.locator(".sync")).to_contain_text("1 项待传")
    assert [name for name in page.evaluate("caches.keys()") if "shell" in name] == ["tablet shell 0123456789abcdef"]
    line.down = False
    all_sent(page)
    assert notes() == ["before the update"]


def test_signing_out_without_a_network_shows_nothing_and_keeps_everything(
    browser: Browser, line: Proxy, tour: Tour, shots: Path
) -> None:
    tablet = Kept(browser, line)
    page = tablet.page
    tablet.context.set_offline(True)
    tablet.note("kept")
    tablet.tap_menu("#sign-out")
    expect(page.locator("dialog")).to_contain_text("1 条")
    page.click("dialog .btn-danger")
    expect(page.locator("main .empty")).to_contain_text("没有人登录")
    tablet.look(shots / "tablet-nobody.png")
    page.reload()
    expect(page.locator("main .empty")).to_contain_text("没有人登录")
    assert "减速机" not in page.content()
    assert session.query(SignIn).filter(SignIn.revoked_at.is_not(None)).count() == 0
    tablet.context.set_offline(False)
    wait_until(
        lambda: session.rollback() or session.query(SignIn).filter(SignIn.revoked_at.is_not(None)).count() == 1,
        what="the session ends as soon as there is a network",
    )
    tablet.sign_in()
    all_sent(page)
    assert notes() == ["kept"]


def test_a_tablet_that_is_asked_to_sign_out_sends_everything_first(browser: Browser, line: Proxy, tour: Tour) -> None:
    tablet = Kept(browser, line)
    page = tablet.page
    all_sent(page)
    line.down = True
    for number in range(3):
        tablet.note(f"note {number}")
    page.evaluate(f"{APP}.sync.stop()")  # nothing leaves by itself until the office has asked
    write(lambda: ask_to_sign_out(session.scalars(select(TabletDevice)).one()))
    line.down = False
    page.reload()
    expect(page.locator("main .empty")).to_contain_text("没有人登录", timeout=30_000)
    assert notes() == ["note 0", "note 1", "note 2"]
    assert session.scalars(select(TabletDevice)).one().state == "signed_out"
    assert session.query(SignIn).filter(SignIn.revoked_at.is_not(None)).count() == 1
    tablet.sign_in()
    all_sent(page)
    wait_until(
        lambda: session.rollback() or session.scalars(select(TabletDevice)).one().state == "active",
        what="the tablet is in use again",
    )


def test_nobody_sends_what_a_colleague_recorded(browser: Browser, line: Proxy, tour: Tour) -> None:
    tablet = Kept(browser, line)
    lus = tablet.page
    line.down = True
    tablet.note("Lu's own")
    tablet.context.clear_cookies()
    other = tablet.context.new_page()
    other.goto(f"{tablet.base}/login?lang=zh&next=/tablet")
    other.fill("input[name=email]", "xu@demo.test")
    other.fill("input[name=password]", PASSWORD)
    other.click("main button[type=submit]")
    expect(other.locator(".sync")).to_be_visible()
    line.down = False
    expect(other.locator(".sync")).to_contain_text("已全部上传")
    expect(other.locator("#tablet-header")).to_contain_text("许晓峰")
    lus.evaluate(f"{APP}.sync.hurry()")
    expect(lus.locator(".sync")).to_contain_text("重新登录")
    lus.click(".sync")
    expect(lus.locator("dialog")).to_contain_text("由别人登录")
    assert notes() == []
    other.close()
    tablet.page = lus
    tablet.context.clear_cookies()
    tablet.sign_in()
    all_sent(lus)
    assert notes() == ["Lu's own"]


def test_what_waits_is_carried_to_another_tablet_in_a_file(
    browser: Browser, line: Proxy, tour: Tour, tmp_path: Path, shots: Path
) -> None:
    broken, other = Kept(browser, line), Kept(browser, line, "en")
    line.down = True
    for number in range(3):
        broken.note(f"note {number}")
    page = broken.page
    page.click(".sync")
    page.click("dialog .dialog-f .btn >> nth=0")
    page.fill("#locker-password", "correct horse")
    with page.expect_download() as download:
        page.click("dialog:last-of-type .btn-primary")
    file = tmp_path / "outbox.fs360"
    download.value.save_as(file)
    assert b"note 1" not in file.read_bytes()
    line.down = False

    page = other.page
    page.click(".sync")
    page.click("dialog .dialog-f .btn >> nth=0")
    page.set_input_files("#locker-file", file)
    page.fill("#locker-password", "wrong horse battery")
    page.click("dialog:last-of-type .btn-primary")
    expect(page.locator("dialog .err")).to_contain_text("does not fit")
    other.look(shots / "tablet-bring-in.png")
    page.fill("#locker-password", "correct horse")
    page.click("dialog:last-of-type .btn-primary")
    wait_until(lambda: notes() == ["note 0", "note 1", "note 2"], what="the notes arrive by the other tablet")
    broken.page.evaluate(f"{APP}.sync.hurry()")
    all_sent(broken.page)
    assert notes() == ["note 0", "note 1", "note 2"]
    assert session.query(Event).filter_by(kind="visit.noted").count() == 3
    assert len({row.device_id for row in session.query(TabletCommand)}) == 1


def test_a_full_memory_is_said_and_nothing_is_shown_as_kept(browser: Browser, line: Proxy, tour: Tour) -> None:
    tablet = Kept(browser, line)
    page = tablet.page
    line.down = True
    page.evaluate(FULL)
    page.click("[data-step=accepted]")
    expect(page.locator(".toast")).to_contain_text("无法保存")
    expect(page.locator("[data-step=accepted]")).to_be_visible()
    assert page.evaluate(f"{APP}.waiting") == 0
    page.evaluate("IDBObjectStore.prototype.add = window.realAdd; null")
    tablet.step("accepted", "en_route")
    line.down = False
    all_sent(page)
    assert fresh(tour).state == "accepted"


def test_a_dead_database_connection_is_opened_again(browser: Browser, line: Proxy, tour: Tour) -> None:
    tablet = Kept(browser, line)
    page = tablet.page
    page.evaluate(f"{APP}.store.open().then(db => db.close())")
    tablet.step("accepted", "en_route")
    page.evaluate(f"{APP}.store.open().then(db => db.close())")
    all_sent(page)
    assert fresh(tour).state == "accepted"


def test_an_entry_at_which_the_server_fails_is_set_aside_and_the_others_go_on(
    browser: Browser, line: Proxy, tour: Tour, shots: Path
) -> None:
    tablet = Kept(browser, line)
    page = tablet.page
    line.down, line.poison = True, b"poison"
    for words in ("one", "poison", "three", "four"):
        tablet.note(words)
    line.down = False
    expect(page.locator(".sync")).to_contain_text("1 项已搁置", timeout=60_000)
    wait_until(lambda: notes() == ["one", "three", "four"], what="the others have arrived")
    expect(page.locator(".sync[data-s=bad]")).to_be_visible(timeout=60_000)
    page.click(".sync")
    expect(page.locator(".tablet-outbox li")).to_contain_text("已搁置")
    tablet.look(shots / "tablet-set-aside.png")
    line.poison = b""
    page.click(".tablet-outbox .btn >> nth=0")
    expect(page.locator("dialog .empty")).to_be_visible()
    assert notes() == ["one", "three", "four", "poison"]


def test_large_text_fits_every_size(browser: Browser, line: Proxy, tour: Tour, shots: Path) -> None:
    for size in SIZES:
        tablet = Kept(browser, line, "en", size)
        tablet.tap_menu("#large-text")
        tablet.page.keyboard.press("Escape")
        tablet.look(shots / f"tablet-large-{size[0]}.png")
        box = tablet.page.locator(".tablet-foot").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size[1] + 1
        tablet.page.reload()
        assert tablet.page.evaluate("document.documentElement.hasAttribute('data-large')")
        tablet.context.close()


def test_the_picture_of_a_refused_entry_is_kept_until_it_can_be_sent_again(
    browser: Browser, line: Proxy, tour: Tour
) -> None:
    tablet = Kept(browser, line)
    page = tablet.page
    line.down = True
    page.evaluate(PHOTO)  # before he has arrived: the server will refuse the entry, and has the bytes
    line.down = False
    expect(page.locator(".sync")).to_contain_text("1 项被退回", timeout=30_000)
    wait_until(lambda: page.evaluate(f"{APP}.uploads.map(row => row.state)") == ["done"], what="the bytes are there")
    page.evaluate(f"{APP}.sync.hurry()")
    all_arrived(tour)
    page.click(".sync")
    page.click(".tablet-outbox .btn >> nth=0")
    expect(page.locator("dialog .empty")).to_be_visible(timeout=30_000)
    wait_until(lambda: pictures() == 1, what="the picture is a file of the visit")
    wait_until(lambda: page.evaluate(f"{APP}.uploads.length") == 0, what="the tablet has given it up")


def test_an_empty_picture_is_said_and_stops_no_other(browser: Browser, line: Proxy, tour: Tour) -> None:
    all_arrived(tour)
    tablet = Kept(browser, line)
    page = tablet.page
    page.evaluate(f"location.hash = `#visit/${{{APP}.shown.visits[0].id}}/photos`")
    empty = {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""}
    page.locator("input[type=file]").first.set_input_files([empty, photo()])  # type: ignore[list-item]
    expect(page.locator(".toast").first).to_contain_text("empty.jpg")
    wait_until(lambda: pictures() == 1, seconds=40, what="the other picture arrives")


def test_a_language_chosen_elsewhere_hides_no_job(browser: Browser, line: Proxy, tour: Tour) -> None:
    tablet = Kept(browser, line)
    other = tablet.context.new_page()
    other.goto(f"{tablet.base}/account?lang=en")
    other.close()
    tablet.page.reload()
    all_sent(tablet.page)
    expect(tablet.page.locator(".tablet-next")).to_contain_text("减速机换油封")
    line.down = True
    tablet.page.reload()
    expect(tablet.page.locator(".tablet-next")).to_contain_text("减速机换油封")


def test_two_presses_book_planned_parts_once(browser: Browser, line: Proxy, tour: Tour) -> None:
    all_arrived(tour)
    tablet = Kept(browser, line)
    page = tablet.page
    page.evaluate(f"location.hash = `#visit/${{{APP}.shown.visits[0].id}}/parts`")
    page.locator(".card-h .btn.end").dblclick()
    expect(page.locator(".card-h .btn.end")).to_have_count(0)  # nothing planned is left
    wait_until(lambda: page.evaluate(f"{APP}.doing.size + {APP}.waiting") == 0, what="both are booked and sent")
    session.rollback()
    assert session.query(PartUse).count() == 2
    assert tour.in_van() == 1


def all_arrived(tour: Tour) -> None:
    tour.go("accepted", "en_route", "on_site")
    session.rollback()


def pictures() -> int:
    session.rollback()
    return int(session.query(StoredFile).filter_by(subject_type="visit").count())
