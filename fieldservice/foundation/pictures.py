"""Pictures from outside: a quick look before they are taken, and re-encoding before anybody sees them.

Pure functions over paths. `reencode` runs in a worker process: it decodes what strangers sent.
"""

import os
import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MOST_PIXELS = 40_000_000
MOST_EDGE = 2560  # pixels of what is kept
THUMBNAIL_EDGE = 480
QUALITY, THUMBNAIL_QUALITY = 85, 75
FORMATS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}  # MPO: phones' JPEG
OPENED = ("JPEG", "PNG", "WEBP")
WHITE = (255, 255, 255)

Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Pillow warns above and refuses above twice of it


class Unusable(Exception):
    """A file that cannot become a picture here. `code`: type | pixels | corrupt."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)

    def __reduce__(self) -> tuple[type["Unusable"], tuple[str]]:
        return Unusable, (self.code,)


@dataclass(frozen=True)
class Picture:
    """What a file holds: type, size in bytes and pixels."""

    content_type: str
    size: int
    width: int
    height: int


def look(path: Path) -> Picture:
    """Read the head of a file, without decoding it. Raises Unusable."""
    with _opened(path) as image:
        return Picture(FORMATS[image.format or ""], path.stat().st_size, *image.size)


def _opened(path: Path) -> Image.Image:
    """The first bytes decide what it is; names and declared types are not believed."""
    try:
        image = Image.open(path, formats=OPENED)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable("pixels") from error
    except UnidentifiedImageError as error:
        raise Unusable("type") from error
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow's readers raise anything on hostile bytes
        raise Unusable("corrupt") from error
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise Unusable("pixels")
    return image


def reencode(raw: str, kept: str, thumbnail: str, drawing: bool) -> Picture:
    """Write the clean picture and its thumbnail: upright, within MOST_EDGE, without any metadata.

    Photos become JPEG on white; a `drawing` (signature) stays PNG. Both files appear whole or not at
    all. Raises Unusable `corrupt` or `pixels`; FileNotFoundError when the raw file is gone.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # broken EXIF and the like; what decodes is fit to be kept
        with _opened(Path(raw)) as image:
            try:
                clean = _clean(image, drawing)
            except Exception as error:
                raise Unusable("corrupt") from error
    small = clean.copy()
    small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE), Image.Resampling.LANCZOS)
    _write(small, Path(thumbnail), drawing, THUMBNAIL_QUALITY)
    size = _write(clean, Path(kept), drawing, QUALITY)
    return Picture("image/png" if drawing else "image/jpeg", size, *clean.size)


def _clean(image: Image.Image, drawing: bool) -> Image.Image:
    """Pixels only, in a new image: nothing of the old one's metadata can come along."""
    if image.mode == "P":  # a palette cannot be scaled smoothly
        image = image.convert("RGBA")
    image.thumbnail((MOST_EDGE, MOST_EDGE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    upright = _in_srgb(_upright(image))
    alpha = upright.convert("RGBA").getchannel("A") if upright.has_transparency_data else None
    if drawing:
        clean = Image.new("RGBA", upright.size)
        clean.paste(upright.convert("RGBA"))
        return clean
    clean = Image.new("RGB", upright.size, WHITE)
    clean.paste(upright.convert("RGB"), mask=alpha)
    return clean


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, TypeError, struct.error):  # broken EXIF says nothing about up and down
        return image


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as browsers show them without a profile: a coating's hue is evidence."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    try:
        theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(image, theirs, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):  # an unreadable profile is metadata like any other
        return image
    assert converted is not None  # it is when not converting in place
    return converted


def _write(image: Image.Image, path: Path, drawing: bool, quality: int) -> int:
    """Write beside, make durable, then put in place; gives the size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    with beside.open("wb") as file:
        if drawing:
            image.save(file, "PNG", optimize=True)
        else:
            image.save(file, "JPEG", quality=quality, progressive=True, optimize=True)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return path.stat().st_size
