"""Stripe's OpenAPI document with our overlay: which operation a request is, and what it may carry."""

from __future__ import annotations

import functools
import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.stripe.schema import fit
from tests.fakes.stripe.shapes import Shapes
from tests.fakes.stripe.wire import Form, Json

_FOLDER = Path(__file__).parent / "spec"
_BODIES = ("application/x-www-form-urlencoded", "application/json")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path, with the schema of all its parameters and of its answer."""

    method: str
    template: str
    pattern: re.Pattern[str]
    parameters: Json
    answer: Json

    @property
    def route(self) -> str:
        """`POST /v1/customers`."""
        return f"{self.method} {self.template}"

    def fit(self, form: Form) -> Json:
        """The typed parameters; StripeError where Stripe would answer 400."""
        values = fit(self.parameters, form, "")
        assert isinstance(values, dict)
        return values


@dataclass(frozen=True, slots=True)
class Spec:
    """All operations we know, and the shapes of objects."""

    operations: tuple[Operation, ...]
    shapes: Shapes

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request and the values in its path."""
        for operation in self.operations:
            match = operation.pattern.fullmatch(path) if operation.method == method else None
            if match:
                return operation, match.groupdict()
        return None


@functools.cache
def load_spec() -> Spec:
    """Read the vendored document once."""
    document = json.loads(gzip.decompress((_FOLDER / "dahlia.json.gz").read_bytes()))
    overlay = json.loads((_FOLDER / "endive.json").read_bytes())
    additions = json.loads((_FOLDER / "additions.json").read_bytes())
    document["paths"] |= additions["paths"]
    schemas = document["components"]["schemas"] | additions["schemas"]
    for name, properties in overlay["schemas"].items():
        schemas[name]["properties"] |= properties
    operations = [
        _operation(method.upper(), template, content, overlay["operations"])
        for template, methods in document["paths"].items()
        for method, content in methods.items()
    ]
    operations.sort(key=lambda operation: operation.template.count("{"))
    return Spec(tuple(operations), Shapes(schemas))


def _operation(method: str, template: str, content: Json, overlays: Json) -> Operation:
    parameters = _parameters(content)
    overlay = overlays.get(f"{method} {template}", {})
    for name in overlay.get("remove", []):
        parameters["properties"].pop(name, None)
    parameters["properties"] |= overlay.get("add", {})
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
    answer = content["responses"]["200"]["content"]
    return Operation(method, template, pattern, parameters, next(iter(answer.values()))["schema"])


def _parameters(content: Json) -> Json:
    """Query and body parameters as one object: Stripe takes those of a DELETE from either.

    The bodies of /v2 are JSON, all others forms.
    """
    query = [parameter for parameter in content.get("parameters", []) if parameter["in"] == "query"]
    bodies = content.get("requestBody", {}).get("content", {})
    body: Json = next((bodies[kind]["schema"] for kind in _BODIES if kind in bodies), {})
    required = [parameter["name"] for parameter in query if parameter["required"]]
    properties = {parameter["name"]: parameter["schema"] for parameter in query}
    return {
        "type": "object",
        "properties": properties | body.get("properties", {}),
        "required": required + body.get("required", []),
    }
