// Server-sent events as fetch() brings them (HTML standard, "Server-sent events"): the hub's and a log's.

const MAX_EVENT = 2_000_000;

// Ends when the stream does; throws when it breaks, or sends an event without end.
export async function readEvents(
	body: ReadableStream<Uint8Array>,
	onEvent: (event: string, data: string) => void,
	onHeard: () => void = () => {}, // anything at all, a comment too
): Promise<void> {
	const reader = body
		.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
		.getReader();
	let text = "";
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return;
		onHeard();
		text += value.replaceAll("\r", "");
		let end: number;
		while ((end = text.indexOf("\n\n")) >= 0) {
			tell(text.slice(0, end), onEvent);
			text = text.slice(end + 2);
		}
		if (text.length > MAX_EVENT) throw new Error("events: one without end");
	}
}

function tell(block: string, onEvent: (event: string, data: string) => void): void {
	let event = "";
	const data: string[] = [];
	for (const line of block.split("\n")) {
		if (line.startsWith("event:")) event = line.slice(6).trim();
		else if (line.startsWith("data:")) data.push(line.slice(5));
	}
	if (data.length > 0) onEvent(event, data.join("\n"));
}
