"""Turn element definitions into the fields of generated structs (used by the generator only)."""

import keyword
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from msgspec import Struct

Json = dict[str, Any]  # trimmed definitions, read at development time

PRIMITIVES: Final[Mapping[str, str]] = {
    "base64Binary": "Base64Binary",
    "boolean": "bool",
    "canonical": "Canonical",
    "code": "Code",
    "date": "Date",
    "dateTime": "DateTime",
    "decimal": "ExactDecimal",
    "id": "Id",
    "instant": "Instant",
    "integer": "Integer",
    "markdown": "Markdown",
    "oid": "Oid",
    "positiveInt": "PositiveInt",
    "string": "String",
    "time": "Time",
    "unsignedInt": "UnsignedInt",
    "uri": "Uri",
    "url": "Url",
    "uuid": "Uuid",
    "xhtml": "Xhtml",
}
ANY_RESOURCE: Final = "AnyResource"
# Elements whose lexical rule is narrower than their type's.
_NARROWED: Final[Mapping[str, str]] = {
    "Extension.url": "Uri",
    "Reference.reference": "ReferenceText",
}
# Value sets too large to list, by the form of their codes.
_UNLISTED: Final[Mapping[str, str]] = {"currencies": "CurrencyCode", "mimetypes": "MimeType"}


class Field(Struct, frozen=True, kw_only=True):
    """One attribute of a generated struct."""

    name: str
    annotation: str
    many: bool
    required: bool
    primitive: bool = False
    group: str | None = None  # the choice element it belongs to, e.g. value[x]
    targets: tuple[str, ...] = ()
    codes: str | None = None  # the value set that a CodeableConcept must draw on
    simple: bool = False  # a SimpleQuantity

    @property
    def attribute(self) -> str:
        """The Python name."""
        return self.name + "_" if keyword.iskeyword(self.name) else self.name

    @property
    def declaration(self) -> str:
        """The line that declares it in the struct."""
        optional = self.group is not None or not self.required
        annotation = f'"{self.annotation} | UnsetType"' if optional else f'"{self.annotation}"'
        if self.attribute != self.name:
            default = ", default=UNSET" if optional else ""
            return f'{self.attribute}: {annotation} = field(name="{self.name}"{default})'
        return f"{self.name}: {annotation}" + (" = UNSET" if optional else "")


def pascal(text: str) -> str:
    """Name a class or alias after an element path or a value set."""
    return "".join(part[:1].upper() + part[1:] for part in text.replace(".", "-").split("-"))


class FieldMaker:
    """Make the fields of elements, knowing which value sets can be listed."""

    def __init__(self, listed_codes: frozenset[str]) -> None:
        self._listed_codes = listed_codes

    def fields(self, element: Json, *, resource: bool) -> Iterator[Field]:
        """Yield the field of an element, its ``_x`` twin, or one pair per type of a choice."""
        name = cast("str", element["path"]).rpartition(".")[2]
        if not name.endswith("[x]"):
            kind = element["types"][0] if "types" in element else {"code": ""}
            yield from self._pair(element, kind, name, resource=resource)
            return
        plain: list[Field] = []
        twins: list[Field] = []
        for kind in element["types"]:
            typed = name.removesuffix("[x]") + kind["code"][0].upper() + kind["code"][1:]
            for made in self._pair(element, kind, typed, group=name):
                (twins if made.name.startswith("_") else plain).append(made)
        yield from plain
        yield from twins

    def _pair(
        self,
        element: Json,
        kind: Json,
        name: str,
        *,
        group: str | None = None,
        resource: bool = False,
    ) -> Iterator[Field]:
        many = element["max"] != "1"
        primitive = kind["code"] in PRIMITIVES
        annotation = self._annotation(element, kind, resource=resource)
        inner = f"{annotation} | None" if primitive and many else annotation
        targets = tuple(kind.get("targets", ()))
        concept = kind["code"] == "CodeableConcept"
        if many and concept and "codes" in element:
            raise ValueError(f"{element['path']}: a bound list is not supported")
        yield Field(
            name=name,
            annotation=f"Many[{inner}]" if many else inner,
            many=many,
            required=element["min"] > 0,
            primitive=primitive,
            group=group,
            targets=() if "Resource" in targets or kind["code"] != "Reference" else targets,
            codes=element.get("codes") if concept else None,
            simple=kind.get("profile") == "SimpleQuantity",
        )
        if primitive and kind["code"] != "xhtml":
            annotation = "Many[Element | None]" if many else "Element"
            yield Field(
                name=f"_{name}", annotation=annotation, many=many, required=False, group=group
            )

    def _annotation(self, element: Json, kind: Json, *, resource: bool) -> str:
        path = cast("str", element["path"])
        code = cast("str", kind["code"])
        if path in _NARROWED:
            return _NARROWED[path]
        if "same" in element or code in {"BackboneElement", "Element"}:
            return pascal(element.get("same", path))
        if code.startswith("System."):
            return "Id" if resource and path.endswith(".id") else "String"
        if code == "Resource":
            return ANY_RESOURCE
        if code == "code" and "codes" in element:
            name = cast("str", element["codes"])
            return f"{pascal(name)}Code" if name in self._listed_codes else _UNLISTED[name]
        return PRIMITIVES.get(code, code)
