"""demo-coder: answers with a short program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.models import Message
from providers.manners.memory import questions, short
from providers.manners.snippets import SNIPPETS, Snippet

LANGUAGES: Mapping[str, str] = {
    "python": "python",
    "py": "python",
    "javascript": "javascript",
    "js": "javascript",
    "node": "javascript",
    "bash": "bash",
    "shell": "bash",
}
DEFAULT = "python"
EVERYTHING = re.compile(r"\b(?:everything|all of them|all (?:your|the) (?:code|programs|snippets))\b")


def answer(messages: Sequence[Message]) -> str:
    """A program for the last message; `in javascript, please` takes up the task of an earlier one."""
    said = questions(messages)
    if EVERYTHING.search(said[-1].casefold()):
        shown = (_show(each, language) for each in SNIPPETS for language in each.code)
        return "\n\n".join(["Here is everything I know.", *shown])
    language = _language(said[-1])
    task = _task(said[-1])
    if task:
        return _show(task, language or DEFAULT)
    earlier = next((found for text in reversed(said[:-1]) if (found := _task(text))), None)
    if earlier and language:
        return f"The same as before, now in {language}.\n\n{_show(earlier, language)}"
    return _sketch(said[-1])


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.casefold())


def _language(text: str) -> str | None:
    return next((LANGUAGES[word] for word in _words(text) if word in LANGUAGES), None)


def _task(text: str) -> Snippet | None:
    """The task with the most words in common."""
    words = _words(text)
    scores = [(sum(word.startswith(each.words) for word in words), each) for each in SNIPPETS]
    score, best = max(scores, key=lambda scored: scored[0])
    return best if score else None


def _show(snippet: Snippet, language: str) -> str:
    code = snippet.code.get(language)
    if code is None:
        known = ", ".join(snippet.code)
        return f"**{snippet.title}**: I know it in {known}, not in {language}.\n\n{_show(snippet, DEFAULT)}"
    return f"**{snippet.title}**\n\n```{language}\n{code}\n```\n{snippet.remark}"


def _sketch(text: str) -> str:
    """A beginning for a task that is not among the known ones."""
    name = "_".join(_words(text))[:30].strip("_") or "solve"
    known = ", ".join(each.title for each in SNIPPETS)
    doc = short(text, 60).replace('"', "'").replace("`", "'")
    return (
        "I have no program for that, so here is where one would begin.\n\n"
        f'```python\ndef {name}(data):\n    """{doc}"""\n    raise NotImplementedError\n```\n'
        f"What I do know: {known}. Ask for one in Python, JavaScript or Bash, or for everything at once."
    )
