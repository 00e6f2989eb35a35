// The support bundles of one server, kept live.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "./api";
import type { Live } from "./live";
import type { Bundle } from "./types";

export const isComing = (bundle: Bundle) => bundle.state === "asked" || bundle.state === "uploading";

const newestFirst = (a: Bundle, b: Bundle) => Date.parse(b.requested_at) - Date.parse(a.requested_at);

export function useBundles(server: string, live: Live) {
	const [bundles, setBundles] = useState<Bundle[] | null>(null);
	const [problem, setProblem] = useState<Problem | null>(null);
	const abort = useRef<AbortController | null>(null);
	const load = async () => {
		abort.current?.abort();
		const mine = (abort.current = new AbortController());
		try {
			setBundles((await api.bundles(server, mine.signal)).sort(newestFirst));
			setProblem(null);
		} catch (error) {
			if (!mine.signal.aborted) setProblem(asProblem(error));
		}
	};
	const put = (bundle: Bundle) =>
		setBundles((old) => [bundle, ...(old ?? []).filter(({ id }) => id !== bundle.id)].sort(newestFirst));
	useEffect(() => {
		void load();
		const stops = [
			live.on("bundle", (bundle) => bundle.server === server && put(bundle)),
			live.on("live", () => void load()),
		];
		return () => {
			for (const stop of stops) stop();
			abort.current?.abort();
		};
	}, [server]);
	return {
		bundles,
		problem,
		load,
		put,
		drop: (id: string) => setBundles((old) => (old ?? []).filter((each) => each.id !== id)),
	};
}
