"""Render the tables of modules in docs/architecture.md: `python -m tests.project.architecture`."""

import ast
import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs" / "architecture.md"
PACKAGES = ("api", "projections", "ledger", "signing")


def purpose(path: Path) -> str:
    """Return the first paragraph of a module's docstring on one line, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).rstrip(".")


def modules(package: str) -> list[Path]:
    """Return the modules of a package and of those in it, in order; `__init__` stands first."""
    listing = subprocess.run(  # noqa: S603 - constants
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", f"{package}/*.py"],  # noqa: S607
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {REPOSITORY / line for line in listing.stdout.splitlines()}
    return sorted(
        (path for path in found if path.is_file()),
        key=lambda path: (path.parent, path.name != "__init__.py", path.name),
    )


def table(package: str) -> str:
    """Return the lines of one package: each folder of it, each module with its purpose."""
    lines: list[str] = []
    for path in modules(package):
        name = path.relative_to(REPOSITORY)
        if path.name == "__init__.py":
            lines += ["", f"**`{name.parent}/`** {purpose(path)}.", "", "| module | |", "|---|---|"]
        else:
            lines.append(f"| `{path.name}` | {purpose(path)} |")
    # A package whose only module is __init__ has no table.
    text = "\n".join([*lines, ""]).lstrip("\n")
    return re.sub(r"\| module \| \|\n\|---\|---\|\n(?=\n|\Z)", "", text)


def rendered(text: str) -> str:
    """Return the document with every table as the source says it is now."""
    for package in PACKAGES:
        begin = f"<!-- modules of {package} -->\n"
        head, found, rest = text.partition(begin)
        if not found:
            raise ValueError(f"docs/architecture.md has no place for the modules of {package}")
        _, end, tail = rest.partition("<!-- end -->")
        text = f"{head}{begin}{table(package)}{end}{tail}"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
