// The support bundles of one server, kept live.

import { api } from "./api";
import { useFetched } from "./fetched";
import type { Live } from "./live";
import type { Bundle } from "./types";

export const isComing = (bundle: Bundle) => bundle.state === "asked" || bundle.state === "uploading";

const newestFirst = (a: Bundle, b: Bundle) => Date.parse(b.requested_at) - Date.parse(a.requested_at);

export function useBundles(server: string, live: Live) {
	const withIt = (bundle: Bundle) => (old: Bundle[] | null) =>
		[bundle, ...(old ?? []).filter(({ id }) => id !== bundle.id)].sort(newestFirst);
	const { value, put, problem, load } = useFetched<Bundle[]>(
		server,
		live,
		async (signal) => (await api.bundles(server, signal)).sort(newestFirst),
		({ put: change }) => [
			live.on("bundle", (bundle) => bundle.server === server && change(withIt(bundle))),
		],
	);
	return {
		bundles: value,
		problem,
		load,
		put: (bundle: Bundle) => put(withIt(bundle)),
		drop: (id: string) => put((old) => (old ?? []).filter((each) => each.id !== id)),
	};
}
