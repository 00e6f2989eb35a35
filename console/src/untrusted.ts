// Reading what a machine said of itself: any JSON at all, of any size. Each guard turns what is not
// of the wanted kind into nothing, and cuts what is too long to show.

const MAX_TEXT = 600;
const MAX_ITEMS = 300;

export type Tree = Record<string, unknown>;

export function asTree(value: unknown): Tree {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Tree) : {};
}

export function asList(value: unknown): unknown[] {
	return Array.isArray(value) ? value.slice(0, MAX_ITEMS) : [];
}

export function asText(value: unknown): string {
	if (typeof value === "number" || typeof value === "boolean") return String(value);
	if (typeof value !== "string") return "";
	return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}

export function asNumber(value: unknown): number | null {
	return typeof value === "number" && Number.isFinite(value) ? value : null;
}

// Evidence stands in a stage as {"name": value} and in a cause as [{"name", "value"}].
export function asEvidence(value: unknown): [name: string, value: string][] {
	const pairs: [string, unknown][] = Array.isArray(value)
		? asList(value).map((item) => [asText(asTree(item)["name"]), asTree(item)["value"]])
		: Object.entries(asTree(value)).slice(0, MAX_ITEMS);
	return pairs.map(([name, item]) => [
		name,
		Array.isArray(item) ? asList(item).map(asText).join(", ") : asText(item),
	]);
}
