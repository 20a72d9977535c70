"""Reading an answered page: its elements with their attributes and text, as a browser would find them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = frozenset({"input", "img", "meta", "link", "br", "hr"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


class Page(HTMLParser):
    """`all(name="phone")` gives the elements with these attributes; `one` the only one of them."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.html: str = answer.get_data(as_text=True)
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, list(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, list(self._open)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.texts.append(data)

    def all(
        self, tag: str | None = None, within: str | None = None, has: str | None = None, **wanted: str
    ) -> list[Element]:
        """Elements of a tag, below the id `within`, with the attribute `has` and these others (class_: one class)."""
        classes = wanted.pop("class_", None)
        return [
            one for one in self.elements
            if (tag is None or one.tag == tag) and (has is None or has in one.attributes)
            and (within is None or any(up.attributes.get("id") == within for up in one.inside))
            and (classes is None or classes in one.attributes.get("class", "").split())
            and all(one.attributes.get(name) == value for name, value in wanted.items())
        ]  # fmt: skip

    def one(self, tag: str | None = None, **wanted: str) -> Element:
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} elements {tag or ''} {wanted}"
        return found[0]
