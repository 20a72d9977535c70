"""Chinese texts: one gettext catalogue per capability, English being the message itself.

`python -m fieldservice.foundation.catalogues compile|check`
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "fieldservice" / "translations" / "zh" / "LC_MESSAGES"
SOURCES = (
    ("fieldservice", "*.py", "python"),
    ("templates", "*.html", "jinja2.ext:babel_extract"),
    ("static/src", "*.js", "javascript"),
)
KEYWORDS = {"_": None, "_l": None, "t": None, "ngettext": (1, 2), "gettext": None, "lazy_gettext": None}
OPTIONS = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


def compile_all() -> None:
    """Write each catalogue as .mo where it is newer than the compiled one."""
    for source in sorted(FOLDER.glob("*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with target.open("wb") as file:
            write_mo(file, read(source))


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="zh")


def used() -> Iterator[tuple[str, str]]:
    """(message, where) of every text in code, templates and scripts."""
    for folder, pattern, method in SOURCES:
        for path in sorted((ROOT / folder).rglob(pattern)):
            if "translations" in path.parts or path == Path(__file__).resolve():
                continue
            options = OPTIONS if method.startswith("jinja2") else {}
            for line, message, _comments, _context in extract_from_file(method, str(path), KEYWORDS, (), options):
                text = message[0] if isinstance(message, tuple) else message
                if text:
                    yield str(text), f"{path.relative_to(ROOT)}:{line}"


def problems() -> list[str]:
    """What is wrong with the catalogues: missing, empty, fuzzy, unused or double texts, lost placeholders."""
    known: dict[str, str] = {}
    found: list[str] = []
    for path in sorted(FOLDER.glob("*.po")):
        for message in read(path):
            if not message.id:
                continue
            key = message.id[0] if isinstance(message.id, tuple) else str(message.id)
            texts = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
            if not all(texts) or message.fuzzy:
                found.append(f"{path.name}: no Chinese for {key!r}")
            if key in known:
                found.append(f"{path.name}: {key!r} is in {known[key]} too")
            if _placeholders(key) != _placeholders(str(texts[0])) and not isinstance(message.id, tuple):
                found.append(f"{path.name}: placeholders differ in {key!r}")
            known[key] = path.name
    wanted = dict(used())
    found += [f"{where}: {text!r} is in no catalogue" for text, where in wanted.items() if text not in known]
    found += [f"{file}: {text!r} is used nowhere" for text, file in known.items() if text not in wanted]
    return found


def _placeholders(text: str) -> set[str]:
    return {first or second for first, second in PLACEHOLDER.findall(text)}


def main() -> int:
    """Compile, or check and list what is wrong."""
    if sys.argv[1:] == ["compile"]:
        compile_all()
        return 0
    if sys.argv[1:] == ["check"]:
        for line in problems():
            print(line)
        return 1 if problems() else 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
