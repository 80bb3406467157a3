"""Fits form fields to a request schema of Stripe's OpenAPI document, or says what Stripe would object to."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.fakes.stripe.wire import Form, Json, StripeError

Raw = Form | str

_INTEGER = re.compile(r"-?\d+")
_METADATA_KEYS, _METADATA_KEY, _METADATA_VALUE = 50, 40, 500


def fit(schema: Json, raw: Raw, param: str) -> object:
    """The typed value of a field; StripeError names the parameter and what is wrong with it."""
    if "anyOf" in schema:
        return _fit_any(schema["anyOf"], raw, param)
    return _FITTERS.get(schema.get("type", ""), _fit_anything)(schema, raw, param)


def _fit_any(options: list[Json], raw: Raw, param: str) -> object:
    errors = []
    for option in sorted(options, key=lambda option: _looks_wrong(option, raw)):
        try:
            return fit(option, raw, param)
        except StripeError as error:
            errors.append(error)
    raise errors[0]


def _looks_wrong(option: Json, raw: Raw) -> bool:
    structured = option.get("type") in {"object", "array"}
    return structured != isinstance(raw, dict) or option.get("enum") == [""]


def _fit_object(schema: Json, raw: Raw, param: str) -> Json:
    if isinstance(raw, str):
        raise StripeError("Invalid object", param=param)
    properties: Json = schema.get("properties", {})
    extra = schema.get("additionalProperties", "properties" not in schema)
    for name in raw:
        if name not in properties and not extra:
            where = _inside(param, name)
            raise StripeError(f"Received unknown parameter: {where}", param=where, code="parameter_unknown")
    for name in schema.get("required", []):
        if name not in raw:
            where = _inside(param, name)
            raise StripeError(f"Missing required param: {where}.", param=where, code="parameter_missing")
    open_schema = extra if isinstance(extra, dict) else {}
    values = {
        name: fit(properties.get(name, open_schema), value, _inside(param, name))
        for name, value in raw.items()
    }
    if param.endswith("metadata"):
        _check_metadata(values, param)
    return values


def _check_metadata(values: Json, param: str) -> None:
    if len(values) > _METADATA_KEYS:
        raise StripeError("You can have up to 50 keys", param=param)
    for name, value in values.items():
        if len(name) > _METADATA_KEY or len(value) > _METADATA_VALUE:
            raise StripeError(f"Metadata too long: {name}", param=param)


def _fit_array(schema: Json, raw: Raw, param: str) -> list[object]:
    if isinstance(raw, str) or not all(name.isdigit() for name in raw):
        raise StripeError("Invalid array", param=param)
    ordered = sorted(raw, key=int)
    return [fit(schema.get("items", {}), raw[name], _inside(param, name)) for name in ordered]


def _fit_string(schema: Json, raw: Raw, param: str) -> str:
    if isinstance(raw, dict):
        raise StripeError("Invalid string", param=param)
    choices = schema.get("enum")
    if choices is not None and raw not in choices:
        shown = ", ".join(choices)
        raise StripeError(f"Invalid {_last(param)}: must be one of {shown}", param=param)
    if raw == "" and choices is None and "metadata" not in param:
        message = f"You passed an empty string for '{param}'. '{param}' cannot be unset."
        raise StripeError(message, param=param, code="parameter_invalid_empty")
    if len(raw) > schema.get("maxLength", len(raw)):
        raise StripeError(f"Invalid string: {raw[:20]}...; too long", param=param)
    return raw


def _fit_integer(_schema: Json, raw: Raw, param: str) -> int:
    if isinstance(raw, dict) or not _INTEGER.fullmatch(raw):
        raise StripeError(f"Invalid integer: {raw}", param=param, code="parameter_invalid_integer")
    return int(raw)


def _fit_number(_schema: Json, raw: Raw, param: str) -> float:
    try:
        return float(raw) if isinstance(raw, str) else _refuse_number(param)
    except ValueError:
        return _refuse_number(param)


def _refuse_number(param: str) -> float:
    raise StripeError("Invalid number", param=param)


def _fit_boolean(_schema: Json, raw: Raw, param: str) -> bool:
    if raw not in ("true", "false"):
        raise StripeError(f"Invalid boolean: {raw}", param=param)
    return raw == "true"


def _fit_anything(_schema: Json, raw: Raw, _param: str) -> Raw:
    return raw


def _inside(param: str, name: str) -> str:
    return f"{param}[{name}]" if param else name


def _last(param: str) -> str:
    return param.rpartition("[")[2].rstrip("]")


_FITTERS: dict[str, Callable[[Json, Raw, str], object]] = {
    "object": _fit_object,
    "array": _fit_array,
    "string": _fit_string,
    "integer": _fit_integer,
    "number": _fit_number,
    "boolean": _fit_boolean,
}
