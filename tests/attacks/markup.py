"""What a page is made of: its elements and their attributes. A stored text must change nothing of it."""

from __future__ import annotations

from html.parser import HTMLParser

ADDRESSES = frozenset({"href", "src", "action", "formaction", "xlink:href", "data", "poster", "srcset"})
RUNNING = ("javascript:", "vbscript:", "data:text")


class Markup(HTMLParser):
    """`parts`: element and attribute names in their order. `bad`: what could run, wherever it comes from."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[str, ...]] = []
        self.bad: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """An element; inline scripts are no use here, for no page has one."""
        names = [name for name, _value in attributes]
        self.parts.append((tag, *names))
        self.bad += [
            f"<{tag} {name}>" for name in names if name.startswith("on") or name in {"srcdoc", "style"}
        ]
        for name, value in attributes:
            address = "".join((value or "").split()).lower()
            if (name in ADDRESSES or name.startswith("hx-")) and address.startswith(RUNNING):
                self.bad.append(f"<{tag} {name}={value}>")

    def handle_endtag(self, tag: str) -> None:
        """The end of one."""
        self.parts.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        """A comment: a text that opens one hides what follows."""
        self.parts.append(("!--",))

    def handle_decl(self, decl: str) -> None:
        """A doctype."""
        self.parts.append(("!",))
