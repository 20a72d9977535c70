"""The tablet's page in Chromium: how soon it opens without a network, and how long a photo takes to become small."""

from statistics import median

from playwright.sync_api import BrowserContext, sync_playwright

from benchmarks.results import Measure
from benchmarks.tablet.stage import fresh_app, served
from config import ROOT
from fieldservice.foundation.db import session
from tests.workorders.tablet_faults.day import make_day

RUNS = 9
SHOWN = """() => new Promise(resolve => { const look = () => document.querySelector('.tablet-next, .tablet-job')
  ? resolve(performance.now()) : requestAnimationFrame(look); look(); })"""
SHRINK = """async () => {
  const canvas = new OffscreenCanvas(4000, 3000);
  const brush = canvas.getContext('2d');
  for (let at = 0; at < 4000; at += 1) {
    brush.fillStyle = `hsl(${(at * 7) % 360} 60% 50%)`;
    brush.fillRect((at * 131) % 4000, (at * 71) % 3000, 160, 120);
  }
  const photo = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
  const { shrink } = await import('/trial/pictures.js');
  const began = performance.now();
  const small = await shrink(new File([photo], 'photo.jpg', { type: 'image/jpeg' }));
  return [performance.now() - began, photo.size, small.byteLength];
}"""


def pages() -> list[Measure]:
    """Medians of several runs."""
    with fresh_app("sqlite") as (app, folder), sync_playwright() as playwright:
        day = make_day(40)
        session.rollback()
        with served(app, folder) as server:
            base = f"http://127.0.0.1:{server.port}"
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            context = browser.new_context(viewport={"width": 820, "height": 1180})
            for name, value in day.cookies.items():
                context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])
            first = _first(context, base)
            context.set_offline(True)
            offline = [_opened(context, base) for _ in range(RUNS)]
            context.set_offline(False)
            shrunk = _shrunk(context, base)
            browser.close()
    return [
        Measure("tablet of 40 jobs, opened without a network", median(offline), "ms", "lower", first,
                "first visit with a network", 1000),
        Measure("photo of 12 megapixels made small", shrunk, "ms", "lower", target=1000),
    ]  # fmt: skip


def _first(context: BrowserContext, base: str) -> float:
    page = context.new_page()
    page.goto(f"{base}/tablet")
    taken: float = page.evaluate(SHOWN)
    page.evaluate("navigator.serviceWorker.ready")
    page.close()
    return taken


def _opened(context: BrowserContext, base: str) -> float:
    page = context.new_page()
    page.goto(f"{base}/tablet")
    taken: float = page.evaluate(SHOWN)
    page.close()
    return taken


def _shrunk(context: BrowserContext, base: str) -> float:
    source = (ROOT / "static/src/tablet/pictures.js").read_text("utf-8")
    page = context.new_page()
    page.route("**/trial/pictures.js", lambda route: route.fulfill(content_type="text/javascript", body=source))
    page.goto(f"{base}/static/none")
    runs = [page.evaluate(SHRINK) for _ in range(5)]
    print(f"  photo: {runs}", flush=True)
    page.close()
    return float(median(run[0] for run in runs))
