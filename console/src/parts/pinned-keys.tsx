// The SSH host keys that people confirmed in a location.

import { useState } from "preact/hooks";
import { api } from "../api";
import { useNow } from "../clock";
import { hostOf } from "../installs";
import type { Live } from "../live";
import type { PinnedKey } from "../types";
import { moment, number } from "../words";
import { Confirm, ProblemNote, Skeleton } from "./basics";
import { useWhole } from "./list";
import { Panel } from "./panel";

// What people confirmed there. A host that was set up anew shows another key: the old one goes here.
export function PinnedKeys({ name, mayChange, live }: { name: string; mayChange: boolean; live: Live }) {
	const now = useNow();
	const fetchKeys = (signal: AbortSignal) => api.pinnedKeys(name, signal);
	const { rows, problem, load } = useWhole(fetchKeys, live, ["installs"]);
	const [forgetting, setForgetting] = useState<PinnedKey | null>(null);
	return (
		<Panel title="Host keys" note={rows && rows.length > 0 ? number(rows.length) : undefined}>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!rows && !problem && <Skeleton lines={2} />}
			{rows?.length === 0 && (
				<p class="quiet">None yet: you are asked about each host's key the first time.</p>
			)}
			{rows && rows.length > 0 && (
				<ul class="plain-list key-list" tabIndex={0} aria-label="Confirmed host keys">
					{rows.map((key) => (
						<li key={key.id}>
							<span class="key-host">
								<strong>{hostOf(key)}</strong>
								{mayChange && (
									<button
										class="button button-small button-quiet"
										onClick={() => setForgetting(key)}
										aria-label={`Forget the key of ${hostOf(key)}`}
									>
										Forget
									</button>
								)}
							</span>
							<span class="mono quiet">{key.fingerprint}</span>
							<span class="quiet">
								confirmed by {key.confirmed_by} {moment(key.confirmed_at, now)}
							</span>
						</li>
					))}
				</ul>
			)}
			{forgetting && (
				<Confirm
					title={`Forget the key of ${hostOf(forgetting)}?`}
					action="Forget key"
					doing="Forgetting…"
					onConfirm={async () => {
						await api.forgetKey(name, forgetting.id);
						await load();
						setForgetting(null);
					}}
					onClose={() => setForgetting(null)}
				>
					<p>
						The next time the host shows a key, you are asked about it again. Do that when it was
						set up anew; otherwise a changed key may mean that somebody stands in between.
					</p>
				</Confirm>
			)}
		</Panel>
	);
}
