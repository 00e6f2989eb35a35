import { useLayoutEffect, useState } from "preact/hooks";

// A thing that changes and tells: components call useChanges(thing) to be drawn again.
export class Emitter {
	#listeners = new Set<() => void>();

	subscribe(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	protected changed(): void {
		for (const listener of [...this.#listeners]) listener();
	}
}

export function useChanges<T extends Emitter>(emitter: T): T {
	const [, draw] = useState(0);
	// With the first drawing, not after it: what changes in between would not be drawn.
	useLayoutEffect(() => emitter.subscribe(() => draw((n) => n + 1)), [emitter]);
	return emitter;
}
