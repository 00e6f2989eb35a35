"""The confusion matrix as a picture: the whole square, the stages of the walk as blocks in it."""

from html import escape

from lab.score import FAULT, NOTHING

CELL = 11
LEFT, TOP, EDGE = 214, 196, 16
INK, FAINT, GRID = "#1d2730", "#55636f", "#dfe5ea"
RIGHT, WRONG = "#0b6e4f", "#c22f2f"
BANDS = ("#f4f6f8", "#ffffff")


def blocks(matrix):
    """(name, first, count) for each run of causes of one stage."""
    found = []
    for index, cause in enumerate(matrix.causes):
        stage = {NOTHING: "healthy", FAULT: ""}.get(cause) or matrix.stage.get(cause, "")
        if found and found[-1][0] == stage:
            found[-1][2] += 1
        else:
            found.append([stage, index, 1])
    return found


def middle(index):
    return index * CELL + CELL / 2


def draw(matrix):
    size = len(matrix.causes) * CELL
    width, height = LEFT + size + EDGE + 70, TOP + size + EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="9" aria-labelledby="t">',
        f'<title id="t">{escape(matrix.summary())}</title>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT - 8}" y="24" text-anchor="end" font-size="13" font-weight="600" fill="{INK}">'
        'rows: was broken</text>',
        f'<text x="{LEFT - 8}" y="42" text-anchor="end" font-size="13" font-weight="600" fill="{INK}">'
        'columns: was named</text>',
        f'<g transform="translate({LEFT} {TOP})">',
    ]
    for number, (stage, first, count) in enumerate(blocks(matrix)):
        at, length = first * CELL, count * CELL
        parts.append(f'<rect x="{at}" y="{at}" width="{length}" height="{length}" fill="{BANDS[0]}" '
                     f'stroke="#8795a3" stroke-width=".8"/>')
        parts.append(f'<text x="{size + 8}" y="{at + length / 2 + 3}" font-size="11" font-weight="600" '
                     f'fill="{FAINT}">{stage}</text>')
        if number:
            parts.append(f'<path d="M{-LEFT + 8} {at}H{size}M{at} {-TOP + 8}V{size}" stroke="{GRID}"/>')
    for cause, index in matrix.number.items():
        bad = any(cause in cell and cell[0] != cell[1] for cell in matrix.counts)
        colour = WRONG if bad else INK
        parts.append(f'<text x="-6" y="{middle(index) + 3}" text-anchor="end" fill="{colour}">{cause}</text>')
        parts.append(f'<text transform="translate({middle(index) + 3} -6) rotate(-90)" fill="{colour}">'
                     f'{cause}</text>')
    for (broken, named), count in sorted(matrix.counts.items(), key=lambda item: [
            matrix.number[cause] for cause in item[0]]):
        x, y = matrix.number[named], matrix.number[broken]
        colour = RIGHT if broken == named else WRONG
        if colour == WRONG:  # lines lead the eye from both names to the cell
            parts.append(f'<path d="M0 {middle(y)}H{middle(x)}M{middle(x)} 0V{middle(y)}" '
                         f'stroke="{WRONG}" stroke-width=".6" stroke-dasharray="2 2" fill="none"/>')
        told = f"{broken}: named {named if broken != named else 'as it is'} {count} times"
        parts.append(f'<g><title>{told}</title><rect x="{x * CELL + .5}" y="{y * CELL + .5}" '
                     f'width="{CELL - 1}" height="{CELL - 1}" rx="2" fill="{colour}"/>'
                     f'<text x="{middle(x)}" y="{middle(y) + 3}" text-anchor="middle" font-size="8" '
                     f'font-weight="600" fill="#fff">{count}</text></g>')
    return "\n".join([*parts, "</g>", "</svg>", ""])
