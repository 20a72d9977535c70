"""Pictures from outside: what is taken, and that nothing but pixels is kept."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from fieldservice.foundation.pictures import MOST_EDGE, Picture, Unusable, look, reencode

GPS, ORIENTATION = 0x8825, 0x0112


def encoded(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    image = Image.new(mode, size, "blue" if mode != "L" else 90)
    image.paste("red" if mode != "L" else 200, (0, 0, size[0] // 2, size[1]))
    content = BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG that says it is so large, whatever it holds."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    parts = [header, *chunks, (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def exif(orientation: int = 1) -> Image.Exif:
    facts = Image.Exif()
    facts[ORIENTATION] = orientation
    facts[0x010F] = "SecretMaker"
    facts.get_ifd(GPS).update({1: "N", 2: (31.0, 30.0, 0.0), 3: "E", 4: (120.0, 18.0, 0.0)})
    return facts


def stored(folder: Path, content: bytes) -> Path:
    path = folder / "raw"
    path.write_bytes(content)
    return path


def cleaned(folder: Path, content: bytes, drawing: bool = False) -> tuple[Picture, Path, Path]:
    kept, small = folder / "k" / "kept", folder / "k" / "small"
    return reencode(str(stored(folder, content)), str(kept), str(small), drawing), kept, small


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (encoded("JPEG"), ("image/jpeg", 60, 40)),
        (encoded("PNG", mode="RGBA"), ("image/png", 60, 40)),
        (encoded("WEBP"), ("image/webp", 60, 40)),
        (encoded("MPO", save_all=True, append_images=[Image.new("RGB", (60, 40))]), ("image/jpeg", 60, 40)),
    ],
)
def test_photos_are_known_by_their_bytes(tmp_path: Path, content: bytes, found: tuple[str, int, int]) -> None:
    seen = look(stored(tmp_path, content))
    assert (seen.content_type, seen.width, seen.height) == found
    assert seen.size == len(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (encoded("GIF"), "type"),
        (encoded("TIFF"), "type"),
        (encoded("BMP"), "type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "type"),
        (b"<html><script>alert(1)</script>", "type"),
        (b"%PDF-1.7", "type"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1", "type"),
        (b"MZ" + b"\x00" * 64, "type"),
        (b"\xff\xd8\xff", "type"),
        (b"\x89PNG\r\n\x1a\n", "type"),
        (png(8000, 5001), "pixels"),
        (png(30_000, 30_000), "pixels"),
        (png(2**31 - 1, 2**31 - 1), "pixels"),
    ],
)
def test_what_is_refused_at_a_look(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(Unusable) as refused:
        look(stored(tmp_path, content))
    assert refused.value.code == code


def test_forty_megapixels_are_just_taken(tmp_path: Path) -> None:
    assert look(stored(tmp_path, png(8000, 5000))).width == 8000


def test_a_text_that_unpacks_to_a_mountain_is_refused(tmp_path: Path) -> None:
    bomb = (b"zTXt", b"k\x00\x00" + zlib.compress(b"a" * 50_000_000))
    with pytest.raises(Unusable):
        cleaned(tmp_path, png(10, 10, bomb))


def test_location_maker_comment_and_colour_profile_are_gone(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    raw = encoded(
        "JPEG", exif=exif(), comment=b"SecretComment", icc_profile=profile, xmp=b"<x:xmpmeta>SecretXmp</x:xmpmeta>"
    )
    assert b"SecretMaker" in raw
    _, kept, small = cleaned(tmp_path, raw)
    for path in (kept, small):
        content = path.read_bytes()
        assert not any(word in content for word in (b"Secret", b"Exif", b"ICC_PROFILE", b"xmp", b"GPS"))
        with Image.open(path) as image:
            assert not dict(image.getexif())
            assert set(image.info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
                "progressive",
                "progression",
            }


def test_png_texts_are_gone_too(tmp_path: Path) -> None:
    secret = (b"tEXt", b"Comment\x00Secret")
    raw = encoded("PNG", exif=exif())
    raw = (
        raw[:33]
        + struct.pack(">I", len(secret[1]))
        + b"".join(secret)
        + struct.pack(">I", zlib.crc32(b"".join(secret)))
        + raw[33:]
    )
    for drawing in (False, True):
        _, kept, _ = cleaned(tmp_path, raw, drawing)
        assert b"Secret" not in kept.read_bytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    """A left-red picture, stored turned as the camera did, is left-red again."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposes that a camera would have applied
    image = Image.open(BytesIO(encoded("PNG")))
    if orientation in back:
        image = image.transpose(Image.Transpose(back[orientation]))
    raw = BytesIO()
    image.save(raw, "JPEG", quality=95, exif=exif(orientation))
    made, kept, _ = cleaned(tmp_path, raw.getvalue())
    assert (made.width, made.height) == (60, 40)
    with Image.open(kept) as shown:
        red, blue = shown.getpixel((10, 20)), shown.getpixel((50, 20))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200 > 60 > red[2]
    assert blue[2] > 200 > 60 > blue[0]


def test_large_pictures_shrink_and_small_ones_stay(tmp_path: Path) -> None:
    made, _, small = cleaned(tmp_path, encoded("JPEG", (5000, 2500)))
    assert (made.width, made.height) == (MOST_EDGE, MOST_EDGE // 2)
    with Image.open(small) as thumbnail:
        assert thumbnail.size == (480, 240)
    made, kept, _ = cleaned(tmp_path, encoded("JPEG", (60, 40)))
    assert (made.width, made.height, made.size) == (60, 40, kept.stat().st_size)


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "1", "CMYK", "I;16"])
def test_every_kind_of_pixel_becomes_a_photo(tmp_path: Path, mode: str) -> None:
    content = BytesIO()
    Image.new(mode, (30, 20)).save(content, "JPEG" if mode == "CMYK" else "PNG")
    made, kept, _ = cleaned(tmp_path, content.getvalue())
    assert made.content_type == "image/jpeg"
    with Image.open(kept) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")


def test_what_is_transparent_becomes_white_in_a_photo_and_stays_in_a_drawing(tmp_path: Path) -> None:
    content = BytesIO()
    Image.new("RGBA", (30, 20), (0, 0, 0, 0)).save(content, "PNG")
    _, kept, _ = cleaned(tmp_path, content.getvalue())
    with Image.open(kept) as photo:
        assert photo.getpixel((5, 5)) == (255, 255, 255)
    made, kept, _ = cleaned(tmp_path, content.getvalue(), drawing=True)
    assert made.content_type == "image/png"
    with Image.open(kept) as drawing:
        assert drawing.convert("RGBA").getpixel((5, 5)) == (0, 0, 0, 0)


def swapped_primaries() -> bytes:
    """A colour profile in which the red channel shines blue and the blue one red."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")  # the first of each stands in the tag table
    content = bytearray(profile)
    content[red : red + 4], content[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_are_kept_when_their_profile_goes(tmp_path: Path, kind: str) -> None:
    raw = encoded(kind, icc_profile=swapped_primaries(), exif=exif(3))
    _, kept, _ = cleaned(tmp_path, raw)
    with Image.open(kept) as image:
        left = image.getpixel((10, 20))
    assert isinstance(left, tuple)
    assert left[0] > 200 > 60 > left[2]  # red: turned by half, and blue's numbers mean red


@pytest.mark.parametrize("profile", [b"", b"rubbish", b"\x00" * 500])
def test_a_broken_colour_profile_does_no_harm(tmp_path: Path, profile: bytes) -> None:
    made, _, _ = cleaned(tmp_path, encoded("JPEG", icc_profile=profile))
    assert made.width == 60


@pytest.mark.parametrize(
    "broken", [b"Exif\x00\x00rubbish", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00MM\x00*"]
)
def test_broken_exif_does_no_harm(tmp_path: Path, broken: bytes) -> None:
    made, _, _ = cleaned(tmp_path, encoded("JPEG", exif=broken))
    assert made.width == 60


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_cut_short_is_corrupt_and_leaves_nothing(tmp_path: Path, kind: str, share: float) -> None:
    noise = Image.effect_noise((300, 300), 90).convert("RGB")
    content = BytesIO()
    noise.save(content, kind)
    with pytest.raises(Unusable, match=r"corrupt|type"):
        cleaned(tmp_path, content.getvalue()[: int(len(content.getvalue()) * share)])
    assert [path.name for path in tmp_path.rglob("*")] == ["raw"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
)
def test_damaged_bytes_are_refused_or_become_a_clean_picture(
    tmp_path: Path, kind: str, places: list[tuple[float, int]]
) -> None:
    content = bytearray(encoded(kind, exif=exif(6)))
    for where, value in places:
        content[int(where * (len(content) - 1))] = value
    try:
        made, kept, _ = cleaned(tmp_path, bytes(content))
    except Unusable:
        return
    with Image.open(kept) as image:
        image.load()
        assert image.size == (made.width, made.height)
    assert b"SecretMaker" not in kept.read_bytes()
