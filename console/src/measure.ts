// How many lines a text takes: known before it is drawn, so that the list can give each row its place.

const canvas = document.createElement("canvas").getContext("2d");
const known = new Map<string, number>();
const MAX_KNOWN = 20_000;
const SLACK = 1.02; // code within the text is a little wider

export function linesOf(text: string, font: string, width: number, most: number): number {
	if (!canvas || width <= 0) return most;
	const key = `${font}|${Math.round(width)}|${most}|${text}`;
	const before = known.get(key);
	if (before !== undefined) return before;
	canvas.font = font;
	const space = canvas.measureText(" ").width;
	let lines = 1;
	let filled = 0;
	for (const word of text.split(" ")) {
		const wide = canvas.measureText(word).width * SLACK;
		if (filled > 0 && filled + space + wide > width) {
			lines++;
			filled = 0;
		}
		lines += Math.floor(wide / width); // a word longer than the line is broken
		filled += (filled > 0 ? space : 0) + (wide % width);
		if (lines >= most) break;
	}
	if (known.size > MAX_KNOWN) known.clear();
	const result = Math.min(lines, most);
	known.set(key, result);
	return result;
}
