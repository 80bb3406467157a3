"""Answers in words: JSON for programs, a small page for people, from one set of templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent

MACHINE_PATHS = (
    "/stripe/",
    "/slack/events",
    "/playground/api",
    "/billing/status",
    "/health",
    "/ready",
    "/metrics",
)
"""Programs call these; everybody else who accepts HTML gets pages."""

DEFAULT_WORDS: Mapping[int, str] = {
    400: "This request is not one that we understand.",
    401: "Sign in first.",
    403: "This is not open to you.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is too long.",
    500: "Something went wrong on our side. It has been logged; please try again in a moment.",
    503: "We cannot do this right now. Please try again in a moment.",
}

_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, *, status: int = 200, **values: object) -> web.Response:
    """The template `name` as a page that no cache keeps."""
    text = _TEMPLATES.get_template(name).render(**values)
    return web.Response(
        text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"}
    )


def answer(value: Mapping[str, object], *, status: int = 200) -> web.Response:
    """A JSON answer that no cache keeps."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(
        text=text, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def wants_page(request: web.Request) -> bool:
    """Whether a person with a browser asks, and not a program."""
    return not request.path.startswith(MACHINE_PATHS) and "text/html" in request.headers.get("Accept", "")


def refuse(request: web.Request, status: int, words: str) -> web.Response:
    """An error, said in words to whoever asks."""
    if wants_page(request):
        return page("error.html", status=status, words=words, operator=request.path.startswith("/admin/"))
    return answer({"error": words}, status=status)


def said(error: web.HTTPException) -> str:
    """The words of an HTTP error: those it was raised with, or ours in place of the library's."""
    text = error.text or ""
    if text and text != f"{error.status}: {error.reason}":
        return text
    return DEFAULT_WORDS.get(error.status, error.reason)
