// Reads src/diagnosis/causes.def for the console: id -> its stage, who can mend it, and how. A placeholder
// "{name|words}" becomes its words, because the list of servers has no evidence to fill it with.

const TOKEN = /\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|[(),]|\n|[^\S\n]+|./g;

// {"dns-nxdomain": {stage, who, remedy}, ...}. Throws on a row that is not of the catalogue's form.
export function readCauses(source) {
	const defines = source.matchAll(/^#define\s+(\w+)\s+("(?:[^"\\]|\\.)*")$/gm);
	const words = new Map(Array.from(defines, ([, name, text]) => [name, JSON.parse(text)]));
	const causes = {};
	for (const columns of rows(source.replace(/^#.*$/gm, ""), words)) {
		if (columns.length !== 7)
			throw new Error(`causes.def: a row has ${columns.length} columns: ${columns[1]}`);
		const [, id, stage, , who, , remedy] = columns;
		causes[id] = { stage: stage.toLowerCase(), who, remedy: plain(remedy) };
	}
	if (Object.keys(causes).length === 0) throw new Error("causes.def: no rows");
	return causes;
}

function plain(text) {
	return text
		.replace(/\{[^{}|]*\|?([^{}]*)\}/g, "$1")
		.replace(/  +/g, " ")
		.trim();
}

// The columns of each CAUSE(...), string literals joined as the C compiler joins them.
function* rows(source, words) {
	let columns = null;
	let previous = "";
	for (const [token] of source.matchAll(TOKEN)) {
		if (/^\s|^\/\*/.test(token)) continue;
		if (columns === null) {
			if (token === "(" && previous === "CAUSE") columns = [""];
		} else if (token === ",") {
			columns.push("");
		} else if (token === ")") {
			yield columns;
			columns = null;
		} else {
			columns[columns.length - 1] += token.startsWith('"')
				? JSON.parse(token)
				: (words.get(token) ?? token);
		}
		previous = token;
	}
}
