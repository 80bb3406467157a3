"""Holds every request and answer against Discord's OpenAPI document, where that document is present."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.fakes.discord.errors import Json

VARIABLE = "DISCORD_OPENAPI"
BESIDE_THE_REPOSITORY = Path(__file__).parents[4] / "shared" / "data" / "discord" / "openapi.json"
NAME = "urn:discord"
METHODS_WITHOUT_BODY = {"GET", "DELETE"}
ALIKE = re.compile(
    r"\d{17,20}"  # ids of Discord's
    r"|[0-9a-f]{32}"  # ids of ours
    r"|\d{4}-\d\d-\d\dT[\d:.]+"  # times
    r'|(?<="username": ")[^"\\]*|(?<="global_name": ")[^"\\]*'
)
"""What differs between bodies that a schema cannot tell apart if it is of the same length."""


def spec_path() -> Path | None:
    """Return where the document is: $DISCORD_OPENAPI, or ../shared/data beside the repository; else None."""
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else BESIDE_THE_REPOSITORY
    return path if path.is_file() else None


class Spec:
    """Discord's API by its own description."""

    def __init__(self, document: Json) -> None:
        """Discord writes ids as strings but also reads numbers, which the library sends in replies.

        Media channels are missing among the kinds, though Discord documents and takes them.
        """
        schemas = document["components"]["schemas"]
        schemas["SnowflakeType"]["type"] = ["string", "integer"]
        schemas["ChannelTypes"]["oneOf"].append({"title": "GUILD_MEDIA", "const": 16})
        self.paths: Json = document["paths"]
        self._registry: Registry[Any] = Registry().with_resource(NAME, DRAFT202012.create_resource(document))
        self._validators: dict[str, Draft202012Validator] = {}
        self._passed: set[tuple[str, str]] = set()

    def request(self, method: str, template: str, body: Any, query: dict[str, str]) -> list[str]:  # noqa: ANN401 - JSON
        """Return what is wrong with a request to a path written with placeholders."""
        operation = self.paths.get(template, {}).get(method.lower())
        if operation is None:
            return [f"{method} {template}: no such operation"]
        known = {parameter.get("name") for parameter in operation.get("parameters", [])}
        wrong = [f"{method} {template}: unknown parameter {name}" for name in query if name not in known]
        declared = operation.get("requestBody", {}).get("content", {})
        if body is None or "application/json" not in declared:
            required = operation.get("requestBody", {}).get("required") and body is None
            return [*wrong, f"{method} {template}: no body"] if required else wrong
        where = ["paths", template, method.lower(), "requestBody", "content", "application/json", "schema"]
        return wrong + self._check(f"{method} {template}", where, body)

    def response(self, method: str, template: str, status: int, body: Any) -> list[str]:  # noqa: ANN401 - JSON
        """Return what is wrong with one of our own answers."""
        answers = self.paths.get(template, {}).get(method.lower(), {}).get("responses", {})
        answer = answers.get(str(status))
        if answer is None:
            return [f"our {status} to {method} {template}: not documented"] if status < 400 else []
        if body is None or "application/json" not in answer.get("content", {}):
            return []
        content = ["responses", str(status), "content", "application/json", "schema"]
        return self._check(f"our {method} {template}", ["paths", template, method.lower(), *content], body)

    def _check(self, title: str, where: list[str], body: Any) -> list[str]:  # noqa: ANN401 - JSON
        pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in where)
        seen = pointer, outline(body)
        if seen in self._passed:
            return []
        validator = self._validators.get(pointer)
        if validator is None:
            schema = {"$ref": f"{NAME}#/{pointer}"}
            validator = Draft202012Validator(schema, registry=self._registry)
            self._validators[pointer] = validator
        wrong = [f"{title}: {error.json_path} {error.message[:300]}" for error in validator.iter_errors(body)]
        if not wrong:
            self._passed.add(seen)
        return wrong


def outline(body: Any) -> str:  # noqa: ANN401 - JSON
    """Return a body as text without what no schema can tell apart."""
    return ALIKE.sub(lambda found: "x" * len(found[0]), json.dumps(body))


@cache
def load_spec() -> Spec | None:
    """Return the description, read once; None where the document is absent."""
    path = spec_path()
    return None if path is None else Spec(json.loads(path.read_text(encoding="utf-8")))
