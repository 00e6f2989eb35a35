"""The figures of installs as a part of docs/figures.md."""
from fleet_page import DOCS, cells, put

BEGIN = "<!-- installs: written by `./dev bench --install --docs` -->"
END = "<!-- end of installs -->"
COLUMNS = (("connector.16", "connector, 16 at once"), ("connector.50", "50 at once"),
           ("ansible.16", "Ansible, 16 forks"), ("ansible.50", "50 forks"))


def spread(runs, form):
    return f"{form.format(min(runs))} to {form.format(max(runs))}" if len(runs) > 1 else ""


def line(rows, what, of):
    return cells(what, *(of(rows[name]) for name, _ in COLUMNS))


def page(rows):
    """The part of docs/figures.md between its two marks."""
    mine, theirs = rows["connector.16"], rows["ansible.16"]
    bare = mine["hosts"] - theirs["hosts"]
    return "\n".join([
        BEGIN, "",
        f"{rows['hosts']} hosts in network namespaces, each with a real SSH server and a file system of its own; systemd has booted "
        f"three of them, and {'one' if bare == 1 else bare} has busybox and dropbear alone, which Ansible leaves out since it has no Python. A connector puts "
        "the portable agent there with one command; Ansible copies the same file (`copy`) and has it set itself up (`command`), facts off, "
        "pipelining on, connections kept. A run ends when the hub has seen the last agent; "
        f"the time is the median of {rows['runs']}. All share a machine with two cores. `./dev bench --install` takes these figures.", "",
        cells("", *(title for _, title in COLUMNS)), cells("---", *["---"] * len(COLUMNS)),
        line(rows, "hosts", lambda row: f"{row['hosts']}"),
        line(rows, "until all are online", lambda row: f"{row['seconds']:.1f} s"),
        line(rows, "range", lambda row: spread(row["seconds_runs"], "{:.1f} s")),
        line(rows, "sent by the connector", lambda row: f"{row['sent'] / 1e6:.1f} MB"),
        line(rows, "for each host", lambda row: f"{row['sent'] / 1e6 / row['hosts']:.2f} MB"),
        line(rows, "memory of the connector at most (proportional)", lambda row: f"{row['memory_kib'] / 1024:.1f} MiB"), "",
        f"The file has {rows['file'] / 1e6:.2f} MB. The connector's memory is that of its agent and of `sallyport install` together; "
        "Ansible's is that of its own processes and its SSH clients. Before it leaves anything on a host the connector walks that host's own way to "
        "the hub, which Ansible does not; a second run of the same command, which finds nothing to do, takes "
        f"{rows['again_s']:.1f} s.", "",
        END])


def write(rows):
    figures = DOCS / "figures.md"
    figures.write_text(put(figures.read_text(), page(rows), BEGIN, END, "Installs by a connector"))
