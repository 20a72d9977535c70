"""Texts of messages: bilingual YAML, filled with facts in the reader's language.

    request_received:
      subject: {zh: "已收到您的报修 {number}", en: "Your report {number} has arrived"}
      body: {zh: …{due_at}…{link}, en: …}
      sms: {zh: …, en: …}                   # optional; the body otherwise
      show: {due_at: moment, severity: word severity}
      links: {link: {path: /t/, purpose: track, of: number}}

`show` says how a fact is put in words: moment, date, time, minutes, money, quantity or `word <namespace>`.
A link is derived when it is sent and never stored: address + path + link_token(purpose, facts[of]).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any
from urllib.parse import quote

from flask_babel import force_locale

from fieldservice.foundation import display
from fieldservice.foundation.company import company
from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.formats import phone_text
from fieldservice.foundation.tokens import link_token
from fieldservice.foundation.web import settings
from fieldservice.foundation.words import word

LANGUAGES = ("zh", "en")


def _moment(value: str) -> str:
    return f"{display.date_short(datetime.fromisoformat(value))} {_time(value)}"


def _time(value: str) -> str:
    return display.clock_time(datetime.fromisoformat(value))


SHOWN: dict[str, Callable[[Any], str]] = {
    "moment": _moment,
    "date": lambda value: display.date_long(datetime.fromisoformat(value)),
    "time": _time,
    "minutes": display.minutes,
    "money": display.money,
    "quantity": display.quantity,
}


@dataclass(frozen=True)
class Link:
    """A private address: path and token for the thing that the fact `of` numbers; for our people, without purpose,
    the page that asks who they are."""

    path: str
    of: str
    purpose: str = ""


@dataclass(frozen=True)
class MessageTemplate:
    """A message in both languages. `needs` are the facts to give when it is queued."""

    code: str
    subject: Mapping[str, str]
    body: Mapping[str, str]
    sms: Mapping[str, str]
    show: Mapping[str, str]
    links: Mapping[str, Link]
    needs: frozenset[str]


@dataclass(frozen=True)
class Text:
    """A message as it is read. An SMS has no subject."""

    subject: str
    body: str


_files: list[Path] = []


def register_templates(path: Path) -> None:
    """Add a capability's messages; called where its module is imported."""
    if path not in _files:
        _files.append(path)
        templates.cache_clear()


@cache
def templates() -> dict[str, MessageTemplate]:
    """Every message by code. Raises ValueError when a text is missing or the languages tell different facts."""
    found: dict[str, MessageTemplate] = {}
    for path in _files:
        for code, entry in (read_yaml(path) or {}).items():
            if code in found:
                raise ValueError(f"{path.name}: message {code} is there twice")
            found[code] = _read(code, entry)
    return found


def template(code: str) -> MessageTemplate:
    """The message of that code. Raises KeyError: a code is written by us, never typed by a person."""
    return templates()[code]


def _read(code: str, entry: Mapping[str, Any]) -> MessageTemplate:
    texts = {name: entry.get(name) or {} for name in ("subject", "body", "sms")}
    texts["sms"] = texts["sms"] or texts["body"]
    links = {name: Link(**facts) for name, facts in (entry.get("links") or {}).items()}
    show: dict[str, str] = entry.get("show") or {}
    for name, how in show.items():
        if how not in SHOWN and not how.startswith("word "):
            raise ValueError(f"message {code}: {name} cannot be shown as {how!r}")
    needs: set[str] = {link.of for link in links.values()}
    for name, text in texts.items():
        if set(text) != set(LANGUAGES) or not all(text.values()):
            raise ValueError(f"message {code}: {name} needs zh and en")
        told = [_placeholders(text[language]) for language in LANGUAGES]
        if told[0] != told[1]:
            raise ValueError(f"message {code}: {name} tells {sorted(told[0] ^ told[1])} in one language only")
        needs |= told[0] - links.keys()
    if not show.keys() <= needs:
        raise ValueError(f"message {code}: {sorted(show.keys() - needs)} is shown nowhere")
    return MessageTemplate(code, texts["subject"], texts["body"], texts["sms"], show, links, frozenset(needs))


def _placeholders(text: str) -> set[str]:
    return {name for _literal, name, _format, _conversion in Formatter().parse(text) if name is not None}


def render(code: str, language: str, facts: Mapping[str, Any], channel: str) -> Text:
    """The message in words. Raises KeyError when a fact is missing."""
    known = template(code)
    with force_locale(language):
        shown = {name: _show(known.show.get(name, ""), facts[name], language) for name in known.needs}
    shown |= {name: _address(link, facts) for name, link in known.links.items()}
    if channel == "sms":
        return Text("", _from_us(known.sms[language].format_map(shown).strip(), language))
    subject = " ".join(known.subject[language].format_map(shown).split())  # a header has one line
    if channel == "robot":
        return Text(subject, known.body[language].format_map(shown).strip())
    return Text(subject, _signed(known.body[language].format_map(shown).strip(), language))


def _from_us(text: str, language: str) -> str:
    """An SMS says first who writes; the brackets are what carriers in China ask for."""
    short = company().short(language)
    if not short:
        return text
    return f"【{short}】{text}" if language == "zh" else f"[{short}] {text}"


def _signed(text: str, language: str) -> str:
    """An e-mail ends with who writes and where to call."""
    ours = company()
    signature = "\n".join(line for line in (ours.name(language), phone_text(ours.hotline)) if line)
    return f"{text}\n\n{signature}" if signature else text


def _show(how: str, value: Any, language: str) -> str:
    if value is None:
        return ""
    if how.startswith("word "):
        return word(how.removeprefix("word "), value, language)
    return SHOWN.get(how, str)(value)


def _address(link: Link, facts: Mapping[str, Any]) -> str:
    named = str(facts[link.of])
    return f"{settings().public_url}{link.path}{link_token(link.purpose, named) if link.purpose else quote(named)}"
