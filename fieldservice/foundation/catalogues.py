"""Chinese texts: one gettext catalogue per capability, English being the message itself.

`python -m fieldservice.foundation.catalogues compile|check`
"""

import json
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
SCRIPTS = ROOT / "static" / "src"
SOURCES = (
    ("fieldservice", "*.py", "python"),
    ("templates", "*.html", "jinja2.ext:babel_extract"),
    ("static/src", "*.js", "script"),
)
KEYWORDS = {"_": None, "_l": None, "t": None, "ngettext": (1, 2), "gettext": None, "lazy_gettext": None}
OPTIONS = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
CALL = re.compile(r"\bt\('((?:[^'\\]|\\.)+)'")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


def compile_all() -> None:
    """Write each catalogue as .mo, and what scripts use as scripts.json, where sources are newer."""
    sources = sorted(FOLDER.glob("*.po"))
    for source in sources:
        target = source.with_suffix(".mo")
        if _stale(target, [source]):
            with target.open("wb") as file:
                write_mo(file, read(source))
    scripts = sorted(SCRIPTS.rglob("*.js"))
    target = FOLDER / "scripts.json"
    if _stale(target, [*sources, *scripts]):
        known = {str(message.id): str(message.string) for source in sources for message in read(source) if message.id}
        target.write_text(json.dumps(_of_scripts(scripts, known), ensure_ascii=False), encoding="utf-8")


def _stale(target: Path, sources: list[Path]) -> bool:
    return not target.exists() or target.stat().st_mtime < max(path.stat().st_mtime for path in sources)


def _of_scripts(scripts: list[Path], known: dict[str, str]) -> dict[str, dict[str, str]]:
    """Capability → the texts its scripts use, so that a page carries no more than it says."""
    found: dict[str, dict[str, str]] = {}
    for path in scripts:
        texts = found.setdefault(path.relative_to(SCRIPTS).parts[0], {})
        texts.update({text: known[text] for _line, text in _of_script(path) if text in known})
    return found


def _of_script(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every `t('…')`; Babel's own reader does not look into nested template literals."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        yield from ((number, text.replace("\\'", "'")) for text in CALL.findall(line))


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="zh")


def used() -> Iterator[tuple[str, str]]:
    """(message, where) of every text in code, templates and scripts."""
    for folder, pattern, method in SOURCES:
        for path in sorted((ROOT / folder).rglob(pattern)):
            if "translations" in path.parts or path == Path(__file__).resolve():
                continue
            if method == "script":
                yield from ((text, f"{path.relative_to(ROOT)}:{line}") for line, text in _of_script(path))
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
