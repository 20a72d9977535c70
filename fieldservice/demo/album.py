"""Photos of the fast path: ready to be shown, many rows sharing the bytes of a few pictures."""

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image

from fieldservice.demo.pictures import photo
from fieldservice.mechanisms.files.folder import kept_path

TYPE = "image/jpeg"
THUMBNAIL = (480, 360)


@dataclass(frozen=True)
class Print:
    """What a row tells of a picture."""

    sha256: str
    size: int
    width: int
    height: int


@dataclass
class Album:
    """Puts pictures into the folder of kept files; each scene is drawn once and linked afterwards."""

    masters: dict[tuple[str, int], tuple[Path, Path, Print]] = field(default_factory=dict)

    def paste(self, scene: str, key: str, variant: int = 0) -> Print:
        """Keep a picture of a scene under a key."""
        large, small = kept_path(key, TYPE), kept_path(key, TYPE, small=True)
        drawn = (scene, variant)
        if drawn not in self.masters:
            self.masters[drawn] = (large, small, _develop(scene, variant, large, small))
            return self.masters[drawn][2]
        first_large, first_small, seen = self.masters[drawn]
        _link(first_large, large)
        _link(first_small, small)
        return seen


def link_twin(key: str, twin: str, content_type: str) -> None:
    """Keep the same picture under one more key."""
    for small in (False, True):
        _link(kept_path(key, content_type, small=small), kept_path(twin, content_type, small=small))


def _develop(scene: str, variant: int, large: Path, small: Path) -> Print:
    content = photo(scene, variant).getvalue()
    large.write_bytes(content)
    with Image.open(BytesIO(content)) as image:
        width, height = image.size
        image.thumbnail(THUMBNAIL)
        image.save(small, "JPEG", quality=75)
    return Print(hashlib.sha256(content).hexdigest(), len(content), width, height)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a folder that knows no links
        shutil.copyfile(source, target)
