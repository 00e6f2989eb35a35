"""The fleet's figures as a part of docs/figures.md, and the return of a fleet as a picture."""
import math
import pathlib
import re

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"
BEGIN = "<!-- fleet: written by `./dev bench --fleet --docs` -->"
END = "<!-- end of fleet -->"

WIDTH, LEFT, RIGHT = 860, 76, 20
CURVE_TOP, CURVE_HEIGHT = 54, 190
LIST_TOP, LIST_HEIGHT = 292, 130
HEIGHT = LIST_TOP + LIST_HEIGHT + 46
LIST_LEAST, LIST_MOST, LIST_LIMIT = 1, 1000, 100  # milliseconds

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1d2730 }
.back { fill: #fff } .faint { fill: #55636f } .head { font-weight: 600 }
.grid { stroke: #dfe5ea } .down { fill: #eef1f4 }
.line { fill: none; stroke: #0b6e4f; stroke-width: 2 } .area { fill: #0b6e4f; opacity: .14 }
.dot { fill: #2563a8 } .late { fill: #c22f2f } .limit { stroke: #c22f2f; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
 text { fill: #e6edf3 } .back { fill: #14191f } .faint { fill: #9aa8b5 }
 .grid { stroke: #2c3640 } .down { fill: #1f272f }
 .line { stroke: #4cc38a } .area { fill: #4cc38a } .dot { fill: #7fb4ee } .late { fill: #ff7b72 }
 .limit { stroke: #ff7b72 }
}"""


def nice_step(span, pieces):
    """A round distance that cuts the span into about so many pieces."""
    raw = span / pieces
    power = 10 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)


class Recovery:
    """Two panels over one time: agents online above, the list's answer below."""

    def __init__(self, agents, figures):
        self.agents, self.figures = agents, figures
        self.first = -2.0
        self.last = max(figures["back_s"] + 2, 5)
        self.parts = []

    def x(self, seconds):
        inside = min(max(seconds, self.first), self.last)
        return LEFT + (inside - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def curve_y(self, online):
        return CURVE_TOP + CURVE_HEIGHT * (1 - online / self.agents)

    @staticmethod
    def list_y(ms):
        inside = min(max(ms, LIST_LEAST), LIST_MOST)
        return LIST_TOP + LIST_HEIGHT * (1 - math.log(inside / LIST_LEAST) / math.log(LIST_MOST / LIST_LEAST))

    def text(self, x, y, words, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{words}</text>')

    def rule(self, y, label, kind="grid"):
        self.parts.append(f'<path class="{kind}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        self.text(LEFT - 8, y + 4, label, "faint", "end")

    def frame(self):
        down, up = self.x(0), self.x(self.figures["ready_s"])
        for top, height in ((CURVE_TOP, CURVE_HEIGHT), (LIST_TOP, LIST_HEIGHT)):
            self.parts.append(f'<rect class="down" x="{down:.1f}" y="{top}" width="{max(up - down, 1):.1f}" '
                              f'height="{height}"/>')
        step = nice_step(self.agents, 4)
        for count in range(int(self.agents // step) + 1):
            self.rule(self.curve_y(count * step), f"{int(count * step):,}")
        for ms in (1, 10, LIST_LIMIT, 1000):
            self.rule(self.list_y(ms), f"{ms:,} ms", "limit" if ms == LIST_LIMIT else "grid")
        step = nice_step(self.last - self.first, 9)
        for count in range(math.ceil(self.first / step), int(self.last // step) + 1):
            at = self.x(count * step)
            self.text(at, HEIGHT - 22, f"{count * step:g} s", "faint", "middle")

    def curve(self):
        points = [(self.first, self.agents)] + [
            (at, online) for at, online in self.figures["curve"] if at >= self.first]
        path = "".join(f"{'L' if index else 'M'}{self.x(at):.1f} {self.curve_y(online):.1f}"
                       for index, (at, online) in enumerate(thin(points, 400)))
        path += f"L{self.x(self.last):.1f} {self.curve_y(points[-1][1]):.1f}"
        base = CURVE_TOP + CURVE_HEIGHT
        self.parts.append(f'<path class="area" d="{path}V{base}H{LEFT}Z"/><path class="line" d="{path}"/>')

    def dots(self):
        for at, ms in self.figures["list"]:
            if ms is not None:
                kind = "late" if ms > LIST_LIMIT else "dot"
                self.parts.append(f'<circle class="{kind}" cx="{self.x(at):.1f}" cy="{self.list_y(ms):.1f}" r="2"/>')

    def draw(self):
        figures = self.figures
        story = (f"{self.agents:,} agents: hub killed at 0 s, up again after {figures['ready_s']:.1f} s, half of them "
                 f"back after {figures['half_s']:.1f} s, all after {figures['back_s']:.1f} s")
        self.text(LEFT, 24, story, "head")
        self.text(LEFT, CURVE_TOP - 10, "agents online", "faint")
        self.text(LEFT, LIST_TOP - 10, "GET /v1/servers?limit=100, ten times a second", "faint")
        self.frame()
        self.curve()
        self.dots()
        self.text(LEFT, HEIGHT - 6, "time since the hub was killed; shaded: no hub", "faint")
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t">',
            f'<title id="t">{story}</title>', f"<style>{STYLE}\n</style>",
            f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>', *self.parts, "</svg>", ""])


def thin(points, most):
    """At most so many of the points, the last among them."""
    step = max(1, math.ceil(len(points) / most))
    return points[:-1:step] + points[-1:]


def cells(*values):
    return "| " + " | ".join(values) + " |"


def of(rows, name, key, form="{:,.0f} ms"):
    return form.format(rows[name][key]) if name in rows else ""


def three(rows, what, key, member, form):
    return cells(what, *(of(rows, f"{server}.{key}", member, form) for server in ("hub", "mosquitto", "nats")))


def ended(recovery):
    """How many attempts did not lead in, besides the sessions that ended with the hub."""
    failed = sum(count for reason, count in recovery["attempts"].items() if not reason.startswith("peer-"))
    return f"{failed:,} attempts failed on the way"


def page(rows):
    """The part of docs/figures.md between its two marks."""
    agents, recovery = rows["agents"], rows["hub.recovery"]
    sure = rows["mosquitto.command_sure"]
    return "\n".join([
        BEGIN, "",
        f"{agents:,} agents on one hub, and as many clients on two message brokers, one after the other in one run on a "
        "machine with two cores, which server and clients share. `./dev bench --fleet` takes these figures.", "",
        cells("", "hub", "Mosquitto, MQTT over TLS", "nats-server, WebSocket over TLS"),
        cells("---", "---", "---", "---"),
        three(rows, "process memory a client (anonymous)", "memory", "anonymous", "{:.1f} KiB"),
        three(rows, "resident memory a client", "memory", "rss", "{:.1f} KiB"),
        three(rows, "all connected, 64 at once", "arrival", "seconds", "{:.1f} s"),
        three(rows, "processor time of the server for one of them", "arrival", "cpu_ms", "{:.2f} ms"),
        three(rows, "a command to all: median answer", "command", "median", "{:,.0f} ms"),
        three(rows, "99 of 100", "command", "p99", "{:,.0f} ms"),
        three(rows, "all", "command", "all", "{:,.0f} ms"),
        three(rows, "processor time of the server a client", "command", "cpu_ms", "{:.3f} ms"), "",
        f"With QoS 1, where each message is acknowledged, Mosquitto needs {sure['median']:,.0f} ms (median), "
        f"{sure['p99']:,.0f} ms (99 of 100), {sure['all']:,.0f} ms (all).", "",
        "The work is not the same, and the difference is the point of a hub. A broker hands one message from memory to all who "
        "listen now, and forgets it. The hub stores the job and one run a machine, signs each run for its machine, sends it, "
        "waits for the machine's word that it is kept, takes two messages back (done, and the output), and confirms each after "
        "it is committed to disk: the time ends when the machine has the last confirmation. Whoever is offline gets the job "
        "later; a broker's clients that are away get nothing. The simulated agents leave out the script and their journal, which "
        "real ones write to disks of their own, and verify one signature in a hundred.", "",
        f"The list of servers answered within {rows['hub.list']['p99']:.1f} ms (99 of 100) on a quiet hub, and within "
        f"{rows['hub.list_busy']['p99']:.1f} ms (worst: {rows['hub.list_busy']['all']:.1f} ms) during the commands.", "",
        "## A hub that is killed", "",
        f"![{agents:,} agents return to a hub that was killed](images/recovery.svg)", "",
        f"The hub is ended with SIGKILL and started again at once; it serves after {recovery['ready_s']:.1f} s. Every agent has lost its "
        f"connection in the same moment and comes back by its own backoff. Half of them are online after {recovery['half_s']:.1f} s, all "
        f"{agents:,} after {recovery['back_s']:.1f} s ({ended(recovery)}), for {recovery['cpu_s']:.1f} s of the hub's processor time. Meanwhile the first page of the "
        f"list answers in {recovery['list_median']:.1f} ms (median), {recovery['list_p99']:.1f} ms (99 of 100), {recovery['list_worst']:.1f} ms at "
        f"worst; {recovery['list_over_100']} of {recovery['list_samples']} looks took longer than 100 ms, connections that had to be made anew "
        "included. A command to all agents right after it was answered by all within "
        f"{rows['hub.command_after']['all']:,.0f} ms.", "",
        END])


def put(text, part, begin=BEGIN, end=END, title="A fleet"):
    """The page with the part in its place between its marks, or at its end under the title."""
    found = re.search(re.escape(begin) + ".*" + re.escape(end), text, re.S)
    if found:
        return text[:found.start()] + part + text[found.end():]
    return text.rstrip("\n") + f"\n\n## {title}\n\n" + part + "\n"


def write(rows):
    figures = DOCS / "figures.md"
    figures.write_text(put(figures.read_text(), page(rows)))
    (DOCS / "images/recovery.svg").write_text(Recovery(rows["agents"], rows["hub.recovery"]).draw())
