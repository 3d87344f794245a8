"""Write the __post_init__ of generated structs (used by the generator only)."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from ledger.fhir.elements import Field
from ledger.fhir.invariants import (
    FORMULAS,
    AtLeastOne,
    Call,
    ExactlyOne,
    Excludes,
    Formula,
    Needs,
    NotNegative,
)


def constant(name: str) -> str:
    """Name the constant of a value set."""
    return "_" + name.replace("-", "_").upper()


def targets_constant(targets: Sequence[str]) -> str:
    """Name the constant of a set of reference targets."""
    return "_" + "_OR_".join(target.upper() for target in targets)


class Checks:
    """Write the checks of one struct."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields
        self._by_name = {item.name: item for item in fields}

    def lines(self, rules: Sequence[str]) -> Iterator[str]:
        """Yield the body: choices, arrays, references, bindings, then the invariants ``rules``."""
        for group in dict.fromkeys(item.group for item in self._fields if item.group):
            required = any(item.required for item in self._fields if item.group == group)
            yield from self._choice(group, required=required)
        for item in self._fields:
            yield from self._field(item)
        guard = ""
        for key in rules:
            for line in self._formula(key, FORMULAS[key]) if key in FORMULAS else ():
                if line != guard:  # else it continues the block of the rule before
                    yield line
                guard = line if line.startswith("if ") else guard if line[0] == " " else ""

    def _choice(self, group: str, *, required: bool) -> Iterator[str]:
        start, stop = self._range(group)
        if required:
            yield f'rules.one_required(self, "{group}", {start}, {stop})'
        else:
            yield f"rules.at_most_one(self, {start}, {stop})"

    def _range(self, group: str) -> tuple[int, int]:
        indexes = [i for i, item in enumerate(self._fields) if item.group == group]
        if indexes != list(range(indexes[0], indexes[-1] + 1)):
            raise ValueError(f"fields of {group} are not contiguous")
        return indexes[0], indexes[-1] + 1

    def _field(self, item: Field) -> Iterator[str]:
        name = item.attribute
        optional = item.group is not None or not item.required
        guard, indent = (f"if self.{name} is not UNSET:", "    ") if optional else ("", "")
        calls: list[str] = []
        if item.targets and item.many:
            calls.append(
                f'rules.targets_of(self.{name}, "{item.name}", {targets_constant(item.targets)})'
            )
        elif item.targets:
            calls.append(
                f'rules.target(self.{name}, "/{item.name}", {targets_constant(item.targets)})'
            )
        if item.codes is not None:
            calls.append(f'rules.bound(self.{name}, "{item.name}", {constant(item.codes)})')
        if item.simple:
            calls.append(f'rules.no_comparator(self.{name}, "{item.name}")')
        if calls and guard:
            yield guard
        yield from (indent + call for call in calls)
        if item.many and item.primitive:
            yield f'rules.aligned(self.{name}, self._{item.name}, "{item.name}")'

    def _present(self, name: str) -> str:
        return self._test(name, present=True)

    def _absent(self, name: str) -> str:
        return self._test(name, present=False)

    def _test(self, name: str, *, present: bool) -> str:
        """Write the condition that an element, extensions of its value included, is there."""
        if name.endswith("[x]"):
            start, stop = self._range(name)
            return f"{'' if present else 'not '}rules.has_any(self, {start}, {stop})"
        tests = [f"self.{self._by_name[name].attribute}"]
        if f"_{name}" in self._by_name:
            tests.append(f"self._{name}")
        if not present:
            return " is ".join([*tests, "UNSET"])
        return (
            f"{tests[0]} is not UNSET"
            if len(tests) == 1
            else f"not ({' is '.join([*tests, 'UNSET'])})"
        )

    def _formula(self, key: str, formula: Formula) -> Iterator[str]:
        def broken(name: str) -> str:
            pointer = f"/{name}" if name else ""
            return f'    raise rules.RuleBrokenError("fhir-{key}", "{pointer}")'

        match formula:
            case AtLeastOne(names):
                yield f"if {' and '.join(self._absent(name) for name in names)}:"
                yield broken("")
            case ExactlyOne(name, other):
                yield f"if ({self._present(name)}) == ({self._present(other)}):"
                yield broken("")
            case Needs(name, other):
                yield f"if {self._present(name)} and {self._absent(other)}:"
                yield broken(name)
            case Excludes(name, other):
                yield f"if {self._present(name)} and {self._present(other)}:"
                yield broken(name)
            case NotNegative(name):
                yield f"if self.{name} is not UNSET and self.{name} < 0:"
                yield broken(name)
            case Call(source, guard, choice):
                call = source
                if choice is not None:
                    call = source.replace(f"{{{choice}}}", self._present(choice))
                if guard is not None:
                    yield f"if {self._given(guard)}:"
                    call = "    " + call
                yield call
            case _:
                assert_never(formula)

    def _given(self, name: str) -> str:
        """Write the condition that an element has a value (not only extensions)."""
        if name.endswith("[x]"):
            return self._present(name)
        return f"self.{self._by_name[name].attribute} is not UNSET"
