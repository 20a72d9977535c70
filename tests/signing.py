"""A hand that signs on a canvas."""

from playwright.sync_api import Page

PAD = ".sign canvas[data-ready]"


def sign(page: Page, pad: str = PAD) -> None:
    """Draw a line on the pad, once it is ready."""
    canvas = page.locator(pad)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 60)
    page.mouse.down()
    for number in range(1, 12):
        page.mouse.move(box["x"] + 30 + number * 9, box["y"] + 60 + number % 3 * 20)
    page.mouse.up()
