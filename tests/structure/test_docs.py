"""The pages that are generated, and the rules that hold for every file of the project."""
import os
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SALLYPORT_BUILD", TOP / "build"))


def tracked():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, text=True,
                           stdout=subprocess.PIPE, check=True).stdout.split("\n")
    return [TOP / name for name in names if name and (TOP / name).is_file()]


def test_protocol_page_is_what_the_message_table_says():
    head = (TOP / "docs/protocol.head.md").read_text()
    tables = subprocess.run([BUILD / "tools/protocol-page"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    assert (TOP / "docs/protocol.md").read_text() == head + tables, "run ./dev fmt"


def test_manual_pages_format_without_warnings():
    for program in ("sallyport", "sallyport-hub"):
        page = subprocess.run([BUILD / program, "manual"], stdout=subprocess.PIPE, check=True).stdout
        shown = subprocess.run(["man", "--warnings", "-l", "-"], input=page, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env={**os.environ, "MANWIDTH": "80"})
        assert shown.stderr == b"", shown.stderr.decode()
        assert b"SYNOPSIS" in shown.stdout and b"EXIT STATUS" in shown.stdout, program


def commands(program):
    text = subprocess.run([BUILD / program, "--help"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    listed = text.split("Commands:\n", 1)[1].split("\n\n", 1)[0]
    return [line.split()[0] for line in listed.splitlines()]


def test_every_command_has_help_with_an_example_and_completion():
    for program in ("sallyport", "sallyport-hub"):
        scripts = {shell: subprocess.run([BUILD / program, "completion", shell], text=True,
                                         stdout=subprocess.PIPE, check=True).stdout
                   for shell in ("bash", "zsh", "fish")}
        subprocess.run(["bash", "-n"], input=scripts["bash"], text=True, check=True)
        names = [name for name in commands(program) if name not in ("completion", "manual")]
        assert len(names) >= 3
        for name in names:
            told = subprocess.run([BUILD / program, name, "--help"], stdout=subprocess.PIPE, text=True)
            assert told.returncode == 0 and f"Example:\n  {program} {name}" in told.stdout.replace(
                "sudo ", ""), told.stdout
            for shell, script in scripts.items():
                assert name in script, (shell, name)


def test_prose_names_only_commands_that_exist():
    known = {program: set(commands(program)) for program in ("sallyport", "sallyport-hub")}
    found = 0
    for page in [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]:
        code = re.findall(r"`([^`\n]+)`|^ {4}(.+)$", page.read_text(), re.M)
        for span, line in code:
            for program, word in re.findall(r"^(?:.*(?:sudo|\$|[|;]) )?(sallyport(?:-hub)?) ([a-z]+)",
                                            span or line):
                found += 1
                assert word in known[program], f"{page.name}: {program} {word}"
    assert found >= 8


def test_the_lock_file_carries_hashes_and_no_addresses():
    lock = (TOP / "package-lock.json").read_text()
    assert '"integrity"' in lock and '"resolved"' not in lock


def test_no_private_key_is_in_the_tree():
    mark = "-----BEGIN " + "PRIVATE KEY"
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        assert mark not in text and mark.replace("PRIVATE", "EC PRIVATE") not in text, path
