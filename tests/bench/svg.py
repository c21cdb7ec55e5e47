"""The picture of a latency run: p50, p99 and p99.9 of each 100 ms on a logarithmic scale, its phases, the budget."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 1100, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 90, 64, 44
LOW_MS, HIGH_MS = 0.01, 1000.0
LINES = (("p999", "p99.9", "#c44e52"), ("p99", "p99", "#dd8452"), ("p50", "p50", "#4c72b0"))
TICKS = ((0.01, "10 µs"), (0.1, "100 µs"), (1, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1000, "1 s"))
STYLE = ("text{font:12px sans-serif;fill:#333}.t{font-size:15px;font-weight:bold}.g{stroke:#ddd}"
         ".p{fill:none;stroke-width:1.2;stroke-linejoin:round}.b{stroke:#2a2;stroke-dasharray:6 4}")


def x_of(t, end):
    return LEFT + (WIDTH - LEFT - RIGHT) * t / end


def y_of(ms):
    share = math.log(min(max(ms, LOW_MS), HIGH_MS) / LOW_MS) / math.log(HIGH_MS / LOW_MS)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def text(x, y, what, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{escape(what)}</text>'


def line(x1, y1, x2, y2, css):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def band(title, begin, end, end_of_all, odd):
    x1, x2 = x_of(begin, end_of_all), x_of(end, end_of_all)
    return [f'<rect x="{x1:.1f}" y="{TOP}" width="{x2 - x1:.1f}" height="{HEIGHT - TOP - BOTTOM}" '
            f'fill="{"#f2f4f8" if odd else "#f8f4ee"}"/>', text((x1 + x2) / 2, TOP - 8, title, 'text-anchor="middle"')]


def axes(end):
    out = []
    for ms, label in TICKS:
        out += [line(LEFT, y_of(ms), WIDTH - RIGHT, y_of(ms), "g"),
                text(LEFT - 8, y_of(ms) + 4, label, 'text-anchor="end"')]
    step = next(s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300) if end / s <= 14 or s == 300)
    for i in range(int(end // step) + 1):
        out.append(text(x_of(i * step, end), HEIGHT - BOTTOM + 18, f"{i * step} s", 'text-anchor="middle"'))
    return out


def write(path, points, phases, budget_ms):
    """points: [{t, p50, p99, p999}] in s and ms; phases: [(title, begin, end)] in s."""
    end = max(p["t"] for p in points) + 0.1
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
           f'viewBox="0 0 {WIDTH} {HEIGHT}"><style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
           text(LEFT, 24, "NameServe: latency at 60,000 queries a second, by intended send time, each 100 ms",
                'class="t"')]
    for i, (title, begin, finish) in enumerate(phases):
        out += band(title, begin, finish, end, i % 2)
    out += axes(end)
    out += [line(LEFT, y_of(budget_ms), WIDTH - RIGHT, y_of(budget_ms), "b"),
            text(WIDTH - RIGHT + 6, y_of(budget_ms) + 4, "p99 budget")]
    for i, (key, label, colour) in enumerate(LINES):
        path_of = " ".join(f"{x_of(p['t'], end):.1f},{y_of(p[key]):.1f}" for p in points if p[key] > 0)
        out += [f'<polyline class="p" stroke="{colour}" points="{path_of}"/>',
                f'<rect x="{WIDTH - RIGHT + 6}" y="{TOP + 20 * i}" width="14" height="4" fill="{colour}"/>',
                text(WIDTH - RIGHT + 26, TOP + 20 * i + 7, label)]
    path.write_text("\n".join(out) + "\n</svg>\n")
