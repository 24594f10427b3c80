"""The storage format of Confluence to HTML: XHTML with elements of its own for macros, links, images and tasks.

"Confluence Storage Format" in Atlassian's documentation names them. What a macro makes when it is shown (lists of
pages, contents) is not in the text; what it holds is read, whatever the macro is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import NamedTuple
from urllib.parse import quote, urljoin
from xml.etree import ElementTree as ET

from ingest_tui.extraction.markup.xhtml import resolve_entities
from ingest_tui.extraction.office.ooxml import attribute, child, local, parse_xml

_MAX_DEPTH = 150
_SPACES = 'xmlns="h" xmlns:ac="ac" xmlns:ri="ri" xmlns:at="at"'
_OF_CONFLUENCE = ("{ac}", "{ri}", "{at}")
_NOT_FOR_HTML = re.compile(r"[^A-Za-z0-9]")
_KEPT_ATTRIBUTES = ("href", "src", "alt", "title", "colspan", "rowspan", "start", "lang", "datetime")
_VOID = frozenset(("br", "hr", "img", "col", "wbr"))
_NOT_READ = frozenset(("script", "style", "colgroup"))
_CODE_LANGUAGE = re.compile(r"[\w+#.-]{1,20}")

_TEXT_OF_PARAMETER = {
    "status": "title", "jira": "key", "jiraissues": "key", "date": "date", "anchor": "", "view-file": "name",
    "viewpdf": "name", "viewdoc": "name", "viewxls": "name", "viewppt": "name", "multimedia": "name",
    "widget": "url", "iframe": "src", "drawio": "diagramName", "gliffy": "name",
}  # fmt: skip
"""Macros that show one of their parameters."""
_BOXES = frozenset(("info", "note", "warning", "tip", "panel", "success", "error"))
_CODE = frozenset(("code", "noformat", "plantuml", "mermaid", "latex", "mathblock", "mathinline", "codeblock"))
_OF_OTHER_PAGES = frozenset(("include", "excerpt-include"))


class StoragePlaces(NamedTuple):
    """Where what a page names is: addresses of pages by space and title, names of people by id, all else by ``base``.

    ``attachments`` is what the address of a file attached to the page begins with.
    """

    base: str = ""
    space: str = ""
    attachments: str = ""
    pages: Mapping[tuple[str, str], str] = {}
    people: Mapping[str, str] = {}

    def address_of_page(self, space: str, title: str) -> str:
        """Return the address of a page, empty where it is not known."""
        return self.pages.get((space or self.space, title), "")

    def absolute(self, address: str) -> str:
        """Return an address of the page's host in full."""
        try:
            return urljoin(self.base + "/", address) if self.base else address
        except ValueError:
            return address


def parse_storage(text: str) -> ET.Element:
    """Return the tree of a text in storage format.

    Raises what reading a damaged part raises (`office.ooxml.BROKEN_PART`), and `ItemRejectedError` (``unsafe_xml``).
    """
    return parse_xml(f"<root {_SPACES}>{resolve_entities(text)}</root>".encode("utf-8", "replace"))


def storage_to_html(root: ET.Element, places: StoragePlaces) -> str:
    """Return the HTML of a tree in storage format."""
    return _Writer(places).inside(root, 0)


class _Writer:
    def __init__(self, places: StoragePlaces) -> None:
        self._places = places
        self._of_element: Mapping[str, Callable[[ET.Element, int], str]] = {
            "structured-macro": self._macro,
            "macro": self._macro,
            "link": self._link,
            "image": self._image,
            "emoticon": lambda one, _depth: escape(_emoticon(one)),
            "task-list": lambda one, depth: f"<ul>{self.inside(one, depth)}</ul>",
            "task": self._task,
            "placeholder": lambda _one, _depth: "",
            "parameter": lambda _one, _depth: "",
            "adf-extension": self._extension,
        }

    def inside(self, element: ET.Element, depth: int) -> str:
        """Return the HTML of what is in an element."""
        if depth > _MAX_DEPTH:
            return escape("".join(element.itertext()))
        parts = [escape(element.text or "", quote=False)]
        for one in element:
            parts += (self._element(one, depth + 1), escape(one.tail or "", quote=False))
        return "".join(parts)

    def _element(self, element: ET.Element, depth: int) -> str:
        if not isinstance(element.tag, str):  # a comment
            return ""
        name = local(element)
        if element.tag.startswith(_OF_CONFLUENCE):
            write = self._of_element.get(name)
            return write(element, depth) if write else self.inside(element, depth)
        if name in _NOT_READ:
            return ""
        if name == "time":
            return escape(attribute(element, "datetime"))
        return self._as_html(element, name, depth)

    def _as_html(self, element: ET.Element, name: str, depth: int) -> str:
        tag = _NOT_FOR_HTML.sub("", name) or "span"
        written = "".join(
            f' {key}="{escape(self._places.absolute(value) if key in ("href", "src") else value)}"'
            for key in _KEPT_ATTRIBUTES
            if (value := element.get(key))
        )
        return f"<{tag}{written}>" if tag in _VOID else f"<{tag}{written}>{self.inside(element, depth)}</{tag}>"

    # Macros

    def _macro(self, macro: ET.Element, depth: int) -> str:
        name = attribute(macro, "name")
        parameters = {attribute(one, "name"): "".join(one.itertext()) for one in macro if one.tag == "{ac}parameter"}
        title = parameters.get("title", "").strip()
        if name in _CODE:
            return _titled(title) + _code(parameters.get("language", ""), _plain_body(macro))
        if name in _TEXT_OF_PARAMETER:
            shown = parameters.get(_TEXT_OF_PARAMETER[name], "") or self._attachment_in(macro)
            return escape(shown) + self._body(macro, depth)
        if name in _OF_OTHER_PAGES:
            return f"<p>{''.join(self._anchor(one, '') for one in macro.iter('{ri}page'))}</p>"
        if name == "excerpt" and parameters.get("hidden") == "true":
            return ""
        body = self._body(macro, depth)
        if name in _BOXES and (body or title):
            return f"<blockquote>{_titled(title)}{body}</blockquote>"
        return _titled(title) + body if body else ""

    def _body(self, macro: ET.Element, depth: int) -> str:
        rich = child(macro, "rich-text-body")
        if rich is not None:
            return f"<div>{self.inside(rich, depth)}</div>"
        plain = _plain_body(macro)
        return f"<pre>{escape(plain)}</pre>" if plain.strip() else ""

    def _attachment_in(self, macro: ET.Element) -> str:
        return next((attribute(one, "filename") for one in macro.iter("{ri}attachment")), "")

    def _extension(self, extension: ET.Element, depth: int) -> str:
        fallback = child(extension, "adf-fallback")
        return self.inside(fallback if fallback is not None else extension, depth)

    # Links, images, tasks

    def _link(self, link: ET.Element, depth: int) -> str:
        plain, rich = child(link, "plain-text-link-body"), child(link, "link-body")
        text = escape("".join(plain.itertext())) if plain is not None else ""
        text = text or (self.inside(rich, depth) if rich is not None else "")
        target = next((one for one in link if isinstance(one.tag, str) and one.tag.startswith("{ri}")), None)
        return self._anchor(target, text) if target is not None else text or escape(attribute(link, "anchor"))

    def _anchor(self, target: ET.Element, text: str) -> str:
        address, name = self._target(target)
        text = text or escape(name)
        return f'<a href="{escape(address)}">{text}</a>' if address and text else text

    def _target(self, target: ET.Element) -> tuple[str, str]:
        """Return where a link leads, empty where that is not known, and what it is called."""
        kind = local(target)
        if kind in ("page", "blog-post"):
            title = attribute(target, "content-title")
            return self._places.address_of_page(attribute(target, "space-key"), title), title
        if kind == "attachment":
            name = attribute(target, "filename")
            is_own = child(target, "page") is None and self._places.attachments
            return f"{self._places.attachments}{quote(name, safe='')}" if is_own else "", name
        if kind == "user":
            person = _id_of_person(target)
            return "", f"@{self._places.people.get(person, person)}"
        if kind == "url":
            return self._places.absolute(attribute(target, "value")), attribute(target, "value")
        if kind == "space":
            return "", attribute(target, "space-key")
        return "", attribute(target, "content-id")

    def _image(self, image: ET.Element, depth: int) -> str:
        target = next((one for one in image if isinstance(one.tag, str) and one.tag.startswith("{ri}")), None)
        address, name = self._target(target) if target is not None else ("", "")
        caption = child(image, "caption")
        below = f"<p>{self.inside(caption, depth)}</p>" if caption is not None else ""
        alternative = attribute(image, "alt") or name
        return (f'<img src="{escape(address or name)}" alt="{escape(alternative)}"/>' if alternative else "") + below

    def _task(self, task: ET.Element, depth: int) -> str:
        status, body = child(task, "task-status"), child(task, "task-body")
        done = status is not None and (status.text or "").strip() == "complete"
        text = self.inside(body, depth) if body is not None else ""
        return f'<li><input type="checkbox"{" checked" * done}/> {text}</li>'


def _titled(title: str) -> str:
    return f"<p><strong>{escape(title)}</strong></p>" if title else ""


def _plain_body(macro: ET.Element) -> str:
    body = child(macro, "plain-text-body")
    return "".join(body.itertext()) if body is not None else ""


def _code(language: str, text: str) -> str:
    named = f' class="language-{language}"' if _CODE_LANGUAGE.fullmatch(language) else ""
    return f"<pre><code{named}>{escape(text, quote=False)}</code></pre>"


def _emoticon(emoticon: ET.Element) -> str:
    name = attribute(emoticon, "name")
    return attribute(emoticon, "emoji-fallback") or (f":{name}:" if name else "")


def _id_of_person(person: ET.Element) -> str:
    return next((value for name in ("account-id", "userkey", "username") if (value := attribute(person, name))), "")
