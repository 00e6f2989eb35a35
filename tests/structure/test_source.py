"""The shape of the source: who may include whom, and how long a function may grow."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

# module: what its files may include besides their own. docs/architecture.md lists the same arrows; what is below
# an arrow is reached through it.
ALLOWED = {
    "base": set(),
    "os": {"base"},
    "diagnosis": {"base", "os"},
    "wire": {"base", "os", "diagnosis"},
    "dial": {"base", "os", "diagnosis", "wire"},
    "profile": {"base"},
    "check": {"base", "os", "diagnosis", "wire", "dial", "profile"},
    "connector": {"base", "os", "diagnosis", "wire", "dial"},
    "agent": {"base", "os", "diagnosis", "wire", "dial"},
    "setup": {"base", "os", "diagnosis", "wire", "dial", "agent"},
    "store": {"base", "os", "wire"},
    "hub": {"base", "os", "diagnosis", "wire", "store"},
    # The programs put the modules together; each command's file takes what it needs.
    "cli": {"base", "os", "diagnosis", "wire", "dial", "profile", "check", "connector", "agent", "setup",
            "store", "hub"},
}
LONGEST_FUNCTION = 100  # lines; 60 is the aim
LONGEST_FILE = 600      # likewise 400
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def sources(*suffixes):
    return sorted(path for path in SRC.rglob("*") if path.suffix in suffixes)


def module_of(path):
    return path.relative_to(SRC).parts[0]


@pytest.mark.parametrize("module", sorted(path.name for path in SRC.iterdir() if path.is_dir()))
def test_include_direction(module):
    assert module in ALLOWED, f"src/{module} is not in the table of arrows"
    wrong = []
    for path in sources(".c", ".h", ".def"):
        if module_of(path) != module:
            continue
        for included in INCLUDE.findall(path.read_text()):
            target = included.split("/")[0]
            if "/" in included and target != module and target not in ALLOWED[module]:
                wrong.append(f"{path.relative_to(ROOT)} includes {included}")
    assert not wrong, "\n".join(wrong)


def test_includes_say_their_module():
    """`#include "module/file.h"`, so that the arrows can be read."""
    wrong = [f"{path.relative_to(ROOT)}: {included}" for path in sources(".c", ".h")
             for included in INCLUDE.findall(path.read_text())
             if "/" not in included or not (SRC / included).exists()]
    assert not wrong, "\n".join(wrong)


def test_agent_and_hub_apart():
    """Neither ever includes the other, in the one program or in the other."""
    for one, other in (("agent", "hub"), ("hub", "agent"), ("dial", "hub"), ("check", "hub")):
        for path in sources(".c", ".h"):
            if module_of(path) == one:
                assert f'"{other}/' not in path.read_text(), path


def test_systems_only_in_os():
    marks = re.compile(r"_WIN32|__linux__|__APPLE__|__FreeBSD__")
    wrong = [str(path.relative_to(ROOT)) for path in sources(".c", ".h")
             if module_of(path) != "os" and marks.search(path.read_text())]
    assert not wrong, wrong


def functions(text):
    """(name, lines) of each function: bodies begin with a brace in the first column."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            heading = " ".join(lines[max(0, start - 3):start])
            name = re.findall(r"(\w+)\(", heading)
            yield (name[-1] if name else "?"), number - start - 1
            start = None


def test_functions_are_short():
    wrong = [f"{path.relative_to(ROOT)}: {name} has {length} lines" for path in sources(".c")
             for name, length in functions(path.read_text()) if length > LONGEST_FUNCTION]
    assert not wrong, "\n".join(wrong)


def test_functions_are_found():
    """The test above sees functions at all."""
    assert sum(1 for path in sources(".c") for _ in functions(path.read_text())) > 100


def test_files_are_short():
    wrong = [f"{path.relative_to(ROOT)}: {count} lines" for path in sources(".c", ".h")
             if (count := path.read_text().count("\n")) > LONGEST_FILE]
    assert not wrong, "\n".join(wrong)


def test_headers_say_what_they_are_for():
    wrong = [str(path.relative_to(ROOT)) for path in sources(".h") if not path.read_text().startswith("/*")]
    assert not wrong, wrong


def test_structs_are_not_typedefd():
    wrong = [str(path.relative_to(ROOT)) for path in sources(".c", ".h")
             if re.search(r"^typedef\s+(struct|union|enum)\b", path.read_text(), re.M)]
    assert not wrong, wrong


def test_nothing_left_undone():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    wrong = [str(path.relative_to(ROOT)) for path in sources(".c", ".h", ".def")
             if marks.search(path.read_text())]
    assert not wrong, wrong


def test_no_private_keys_in_the_tree():
    import subprocess

    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.split("\n")
    mark = b"PRIVATE " + b"KEY-----"
    wrong = [name for name in files if name and (ROOT / name).is_file() and
             mark in (ROOT / name).read_bytes()]
    assert not wrong, wrong
