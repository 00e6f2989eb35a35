"""The pages that are generated, and the rules that hold for every file of the project."""
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP))
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


def test_cause_pages_are_what_the_tables_say(tmp_path):
    done = subprocess.run([BUILD / "tools/cause-pages", tmp_path], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (TOP / "docs/causes").iterdir()}
    assert made == kept, "run ./dev fmt"


def test_evidence_that_the_pages_explain_exists():
    told = re.findall(r"`([a-z][a-z-]*)`", (TOP / "src/diagnosis/distinctions.def").read_text())
    source = "".join(path.read_text() for path in (TOP / "src").rglob("*.c"))
    assert len(told) > 50 and [name for name in told if f'"{name}"' not in source] == []


def test_look_alikes_of_the_lab_are_those_of_the_pages():
    """A scenario must not be taken for its look-alike; the page of one of its causes tells the two apart."""
    from lab import catalogue

    pages = {path.stem: re.findall(r"^- \[([a-z0-9-]+)\]", path.read_text(), re.M)
             for path in (TOP / "docs/causes").glob("*.md")}
    missing = []
    for name in catalogue.names():
        scenario = catalogue.scenario(name)
        if scenario.causes and not any(scenario.look_alike in pages[cause] for cause in scenario.causes):
            missing.append(f"{name}: {scenario.look_alike} is no look-alike of {scenario.causes}")
    assert not missing, "\n".join(missing)


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


def test_the_profile_in_the_docs_is_clean(tmp_path):
    page = (TOP / "docs/profiles.md").read_text()
    profile = tmp_path / "our-service.yaml"
    profile.write_text(re.search(r"^```yaml\n(.*?)^```", page, re.M | re.S).group(1))
    done = subprocess.run([BUILD / "sallyport", "profiles", "lint", profile], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    keys = subprocess.run([BUILD / "sallyport", "profiles", "lint", "/dev/stdin"], stdout=subprocess.PIPE,
                          text=True, input="profile: p\ntitle: P\nnosuchkey: 1\n").stdout
    known = re.search(r"nosuchkey: unknown key.*the keys here are: (.*)", keys).group(1).split(", ")
    assert len(known) > 10
    for key in known:
        assert f"`{key}" in page, f"docs/profiles.md does not tell what {key} is"


def test_links_between_the_pages_lead_somewhere():
    found = 0
    for page in [TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            found += 1
            assert (page.parent / link).exists(), f"{page.relative_to(TOP)}: {link}"
    assert found > 100


def test_the_lock_file_carries_hashes_and_no_addresses():
    lock = (TOP / "package-lock.json").read_text()
    assert '"integrity"' in lock and '"resolved"' not in lock


def test_no_private_key_is_in_the_tree():
    mark = "-----BEGIN " + "PRIVATE KEY"
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        assert mark not in text and mark.replace("PRIVATE", "EC PRIVATE") not in text, path
