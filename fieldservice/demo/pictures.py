"""Photos for the demo, drawn here so that nobody's picture is used: a leak, an alarm, a gauge, blistered paint."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from fieldservice.demo.dice import Dice

SIZE = (960, 720)  # as drawn
TAKEN = (720, 540)
VARIANTS = 2
Colour = tuple[int, int, int]
Draw = Callable[[Image.Image, Dice], None]


def photo(scene: str, variant: int = 0) -> BytesIO:
    """A JPEG of a scene (leak, alarm, gauge, paint); the same bytes for the same arguments."""
    return BytesIO(_drawn(scene, variant % VARIANTS))


@cache
def _drawn(scene: str, variant: int) -> bytes:
    dice = Dice("photo", scene, variant)
    image = _wall(dice)
    SCENES[scene](image, dice)
    made = BytesIO()
    _as_taken(image, dice).save(made, "JPEG", quality=82)
    return made.getvalue()


def _wall(dice: Dice) -> Image.Image:
    """A workshop: a wall above, a floor below, light from one side."""
    width, height = SIZE
    shade = dice.randrange(120, 165)
    across = np.linspace(0.75, 1.1, width, dtype=np.float32)[None, :]
    down = np.where(np.arange(height) < height * 0.7, 1.0, 0.62).astype(np.float32)[:, None]
    grey = Image.fromarray((shade * across * down).astype(np.uint8))
    return Image.merge("RGB", (grey, grey, grey.point(lambda value: int(value * 0.96))))


def _leak(image: Image.Image, dice: Dice) -> None:
    """A gearbox with oil running from its output shaft."""
    draw = ImageDraw.Draw(image, "RGBA")
    draw.rounded_rectangle((180, 150, 640, 520), 40, fill=(58, 92, 110, 255))
    draw.rounded_rectangle((200, 165, 620, 300), 30, fill=(72, 110, 128, 255))
    for place in range(8):
        x, y = 235 + 118 * (place % 4), 190 + 300 * (place // 4)
        draw.ellipse((x, y, x + 26, y + 26), fill=(40, 52, 60, 255), outline=(120, 140, 150, 255), width=3)
    draw.ellipse((560, 270, 700, 410), fill=(90, 96, 100, 255))
    draw.rectangle((630, 310, 900, 370), fill=(150, 154, 158, 255))
    draw.rectangle((630, 318, 900, 330), fill=(200, 204, 208, 255))
    for _ in range(9):
        x, length = dice.randrange(590, 680), dice.randrange(60, 170)
        draw.line((x, 395, x + dice.randrange(-6, 6), 395 + length), fill=(46, 30, 14, 220), width=dice.randrange(3, 8))
    draw.ellipse((430, 575, 830, 690), fill=(32, 22, 12, 235))
    draw.ellipse((520, 600, 640, 625), fill=(120, 100, 70, 90))


def _alarm(image: Image.Image, dice: Dice) -> None:
    """A control panel whose screen shows an alarm."""
    draw = ImageDraw.Draw(image, "RGBA")
    draw.rounded_rectangle((140, 90, 820, 640), 24, fill=(205, 206, 200, 255), outline=(90, 92, 90, 255), width=6)
    draw.rectangle((190, 140, 600, 430), fill=(18, 26, 40, 255))
    draw.rectangle((205, 155, 585, 205), fill=(188, 28, 28, 255))
    for row in range(7):
        shade = (120, 210, 160, 255) if row else (255, 214, 90, 255)
        draw.rectangle((215, 228 + 27 * row, 215 + dice.randrange(120, 350), 240 + 27 * row), fill=shade)
    for place in range(20):
        x, y = 640 + 42 * (place % 4), 150 + 56 * (place // 4)
        draw.rounded_rectangle((x, y, x + 32, y + 38), 5, fill=(74, 78, 84, 255))
    draw.ellipse((640, 470, 770, 600), fill=(245, 200, 30, 255))
    draw.ellipse((662, 492, 748, 578), fill=(190, 24, 24, 255))
    draw.ellipse((220, 490, 300, 570), fill=(40, 120, 60, 255))
    draw.polygon([(405, 170), (420, 195), (390, 195)], fill=(255, 220, 80, 255))


def _gauge(image: Image.Image, dice: Dice) -> None:
    """A pressure gauge whose needle stands in the red."""
    draw = ImageDraw.Draw(image, "RGBA")
    middle, radius = (470, 350), 250
    draw.rectangle((430, 580, 510, 720), fill=(150, 130, 70, 255))
    _ring(draw, middle, radius + 24, (70, 74, 78))
    _ring(draw, middle, radius, (238, 238, 232))
    draw.arc((250, 130, 690, 570), 135, 340, fill=(40, 120, 60, 255), width=16)
    draw.arc((250, 130, 690, 570), 340, 405, fill=(190, 24, 24, 255), width=16)
    for mark in range(28):
        angle = pi * (0.75 + 1.5 * mark / 27)
        inner = 190 if mark % 3 else 170
        draw.line(
            (middle[0] + inner * cos(angle), middle[1] + inner * sin(angle),
             middle[0] + 212 * cos(angle), middle[1] + 212 * sin(angle)), fill=(30, 30, 30, 255), width=5,
        )  # fmt: skip
    angle = pi * (0.75 + 1.5 * dice.uniform(0.83, 0.95))
    tip = (middle[0] + 190 * cos(angle), middle[1] + 190 * sin(angle))
    draw.line((*middle, *tip), fill=(200, 30, 20, 255), width=11)
    _ring(draw, middle, 26, (40, 40, 40))


def _paint(image: Image.Image, dice: Dice) -> None:
    """A coated surface with blisters and rust."""
    draw = ImageDraw.Draw(image, "RGBA")
    draw.rectangle((0, 0, *SIZE), fill=(38, 84, 124, 255))
    draw.rectangle((0, 0, SIZE[0], 240), fill=(52, 100, 140, 255))
    for _ in range(120):
        size = dice.randrange(8, 34)
        x, y = dice.gauss(520, 190), dice.gauss(380, 130)
        draw.ellipse((x, y, x + size, y + size * 0.9), fill=(30, 70, 108, 255))
        draw.ellipse((x + size * 0.15, y + size * 0.1, x + size * 0.6, y + size * 0.45), fill=(120, 160, 190, 160))
    for _ in range(14):
        size, x, y = dice.randrange(20, 70), dice.gauss(540, 120), dice.gauss(400, 90)
        draw.ellipse((x, y, x + size, y + size * 0.7), fill=(126, 62, 26, 230))
        draw.ellipse((x + 6, y + 6, x + size * 0.6, y + size * 0.4), fill=(168, 96, 44, 220))
    draw.rectangle((60, 610, 460, 660), fill=(240, 224, 120, 255))
    for mark in range(20):
        draw.line((70 + 20 * mark, 610, 70 + 20 * mark, 640 if mark % 5 else 655), fill=(30, 30, 30, 255), width=3)


def _ring(draw: ImageDraw.ImageDraw, middle: tuple[int, int], radius: int, colour: Colour) -> None:
    x, y = middle
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


SCENES: dict[str, Draw] = {"leak": _leak, "alarm": _alarm, "gauge": _gauge, "paint": _paint}


def scene_of(work_type: str, dice: Dice) -> str:
    """What a photo shows of a fault that this kind of work mends."""
    if work_type.startswith(("coating_", "pretreatment", "paint_process", "powder")):
        return "paint"
    if "seal" in work_type or "leak" in work_type or work_type.startswith(("oil_", "gearbox", "hydraulic")):
        return dice.choice(("leak", "leak", "gauge"))
    if work_type.startswith(("lube", "grease", "compressor", "chiller", "pneumatic", "workholding", "paint_pump")):
        return "gauge"
    return "alarm"


def _as_taken(image: Image.Image, dice: Dice) -> Image.Image:
    """A little soft, noisy and dark at the edges, as a telephone takes it indoors."""
    turned = image.rotate(dice.uniform(-3, 3), Image.Resampling.BILINEAR).crop((30, 24, SIZE[0] - 30, SIZE[1] - 24))
    soft = turned.filter(ImageFilter.BoxBlur(1)).resize(TAKEN, Image.Resampling.BOX)
    pixels = np.asarray(soft, dtype=np.float32)
    height, width = pixels.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    shade = 1.06 - 0.28 * (x**2 + y**2)
    noise = np.random.default_rng(dice.randrange(2**32)).integers(-9, 10, (height, width, 1))
    return Image.fromarray(np.clip(pixels * shade[:, :, None] + noise, 0, 255).astype(np.uint8))
