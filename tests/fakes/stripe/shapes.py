"""Builds and checks answers by the response schemas of Stripe's OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.stripe.wire import Json

_EMPTY: Json = {"boolean": False, "integer": 0, "number": 0, "array": [], "string": ""}


class Shapes:
    """The object schemas by name; what they require is filled in, what they do not know is refused."""

    def __init__(self, schemas: Json) -> None:
        self._schemas = schemas

    def fields(self, name: str) -> frozenset[str]:
        """The names that objects of a schema can have."""
        return frozenset(self._schemas[name].get("properties", {}))

    def make(self, name: str, values: Json) -> Json:
        """A whole object of that schema from the values that matter; the rest is null or empty."""
        return self._fill(self._schemas[name], values, name)

    def _fill(self, schema: Json, values: Json, where: str) -> Json:
        properties: Json = schema.get("properties", {})
        unknown = values.keys() - properties.keys()
        if unknown:
            raise AssertionError(f"{where} has no {sorted(unknown)}")
        required = set(schema.get("required", []))
        filled = {}
        for name, shape in properties.items():
            if name in values:
                filled[name] = self._deepen(shape, values[name], f"{where}.{name}")
            elif name in required:
                filled[name] = self._default(shape, f"{where}.{name}")
            elif shape.get("nullable"):
                filled[name] = None
        return filled

    def _deepen(self, shape: Json, value: object, where: str) -> object:
        resolved = self._resolve(shape)
        if isinstance(value, dict) and "object" not in value and "properties" in resolved:
            return self._fill(resolved, value, where)
        return value

    def _default(self, shape: Json, where: str) -> object:
        resolved = self._resolve(shape)
        if resolved.get("nullable"):
            return None
        if "enum" in resolved:
            return resolved["enum"][0]
        if resolved.get("type") == "object":
            return self._fill(resolved, {}, where)
        empty = _EMPTY[resolved["type"]]
        return [] if isinstance(empty, list) else empty

    def _resolve(self, shape: Json) -> Json:
        while "$ref" in shape or "anyOf" in shape:
            inner: Json = self._target(shape["$ref"]) if "$ref" in shape else shape["anyOf"][0]
            shape = inner | {"nullable": True} if shape.get("nullable") else inner
        return shape

    def _target(self, reference: str) -> Json:
        target: Json = self._schemas[reference.rpartition("/")[2]]
        return target

    def problems(self, schema: Json, value: object, where: str = "answer") -> Iterator[str]:
        """What is wrong with a value under a response schema."""
        if "$ref" in schema:
            yield from self.problems(self._target(schema["$ref"]), value, where)
        elif value is None:
            if not schema.get("nullable"):
                yield f"{where} is null"
        elif "anyOf" in schema:
            yield from self._problems_of_any(schema["anyOf"], value, where)
        else:
            yield from self._problems_of_plain(schema, value, where)

    def _problems_of_plain(self, schema: Json, value: object, where: str) -> Iterator[str]:
        if not _is_a(schema.get("type", ""), value):
            yield f"{where} is no {schema['type']}: {value!r}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{where} is {value!r}, not one of {schema['enum']}"
        elif isinstance(value, dict):
            yield from self._problems_of_object(schema, value, where)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.problems(schema.get("items", {}), item, f"{where}[{index}]")

    def _problems_of_any(self, options: list[Json], value: object, where: str) -> Iterator[str]:
        found = [list(self.problems(option, value, where)) for option in options]
        if all(found):
            yield from min(found, key=len)

    def _problems_of_object(self, schema: Json, value: Json, where: str) -> Iterator[str]:
        properties: Json = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where} lacks {name}"
        for name, item in value.items():
            if name in properties:
                yield from self.problems(properties[name], item, f"{where}.{name}")
            elif properties and not schema.get("additionalProperties"):
                yield f"{where} has an unknown {name}"


def _is_a(name: str, value: object) -> bool:
    kinds: dict[str, tuple[type, ...]] = {
        "boolean": (bool,),
        "integer": (int,),
        "number": (int, float),
        "string": (str,),
        "array": (list,),
        "object": (dict,),
    }
    fits = isinstance(value, kinds.get(name, (object,)))
    return fits and not (isinstance(value, bool) and name in {"integer", "number"})
