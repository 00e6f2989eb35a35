// The support bundles of a server: ask for one, see it come, read what it holds, fetch or remove it.

import { useState } from "preact/hooks";
import { api, asProblem, links, onceKey, type Problem } from "../api";
import { isComing, useBundles } from "../bundles";
import type { Live } from "../live";
import { type Bundle, may, type Me, type Server } from "../types";
import { asList, asNumber, asText, asTree } from "../untrusted";
import { bytes, moment, plural } from "../words";
import { Command, Confirm, ProblemNote, Skeleton } from "./basics";
import { Check, Cross } from "./icons";
import { Panel } from "./panel";

const STATES: Record<Bundle["state"], string> = {
	asked: "Waiting for the machine",
	uploading: "On its way",
	ready: "Ready",
	failed: "Failed",
};

function Ask({ server, onAsked }: { server: Server; onAsked: (bundle: Bundle) => void }) {
	const [problem, setProblem] = useState<Problem | null>(null);
	const [busy, setBusy] = useState(false);
	const [once, setOnce] = useState(onceKey);
	const ask = async () => {
		if (busy) return;
		setBusy(true);
		setProblem(null);
		try {
			onAsked(await api.askBundle(server.id, once));
			setOnce(onceKey());
		} catch (error) {
			setProblem(asProblem(error));
		}
		setBusy(false);
	};
	return (
		<>
			<p>
				A bundle holds the agent's log, its status, its latest check, the inventory and the
				configuration without secrets, and a list of what was left out and why.
			</p>
			{server.status === "online" ? (
				<p class="bundle-ask">
					<button class="button button-primary" aria-disabled={busy} onClick={() => void ask()}>
						Ask for a bundle
					</button>
				</p>
			) : (
				<>
					<p>
						It is offline, so it cannot be asked. On the machine itself, this sends one, also
						while its session cannot be had:
					</p>
					<Command text="sudo sallyport logs send" label="the command that sends a bundle" />
				</>
			)}
			{problem && <ProblemNote problem={problem} />}
		</>
	);
}

// The manifest is the machine's own words: its members, and what was left out and why.
function Manifest({ value }: { value: unknown }) {
	const tree = asTree(value);
	const members = asList(tree["members"]).map(asTree);
	const left = asList(tree["left_out"]).map(asTree);
	if (members.length === 0 && left.length === 0) return null;
	return (
		<details>
			<summary>What it holds</summary>
			<ul class="manifest">
				{members.map((item, i) => {
					const size = asNumber(item["size"]);
					return (
						<li key={i}>
							<Check /> <span class="mono">{asText(item["name"])}</span>{" "}
							<span class="quiet">
								{size !== null && bytes(size)}
								{asNumber(item["cut"]) !== null && ", its beginning left out"}
								{asNumber(item["masked"]) !== null && ", secrets masked"}
							</span>
						</li>
					);
				})}
				{left.map((item, i) => (
					<li key={`left-${i}`}>
						<Cross /> <span class="mono">{asText(item["what"])}</span>{" "}
						<span class="quiet">left out: {asText(item["why"])}</span>
					</li>
				))}
			</ul>
		</details>
	);
}

interface RowProps {
	bundle: Bundle;
	now: number;
	onRemove: (() => void) | null; // null: not allowed
}

function BundleRow({ bundle, now, onRemove }: RowProps) {
	const by = bundle.requested_by ? `asked for by ${bundle.requested_by}` : "sent by the machine";
	const { size, received, state } = bundle;
	return (
		<li class="bundle">
			<div class="bundle-head">
				<span class={`tag ${state === "ready" ? "tag-valid" : state === "failed" ? "tag-bad" : ""}`}>
					{STATES[state] ?? state}
				</span>
				<span>{moment(bundle.requested_at, now)}</span>
				<span class="quiet">
					{by}
					{size !== null && `, ${bytes(size)}`}
				</span>
				<span class="bundle-act">
					{state === "ready" && (
						<a class="button button-small" href={links.bundle(bundle.id)} download>
							Download
						</a>
					)}
					{onRemove && !isComing(bundle) && (
						<button
							class="button button-small button-quiet"
							onClick={onRemove}
							aria-label={`Remove the bundle of ${moment(bundle.requested_at, now)}`}
						>
							Remove
						</button>
					)}
				</span>
			</div>
			{isComing(bundle) && (
				<p class="bundle-progress">
					<progress aria-label="Received" {...(size ? { max: size, value: received } : {})} />
					<span class="quiet">
						{received > 0
							? `${bytes(received)}${size ? ` of ${bytes(size)}` : ""}`
							: "nothing yet"}
					</span>
				</p>
			)}
			{bundle.reason && <p class={state === "failed" ? "warn-words" : "quiet"}>{bundle.reason}</p>}
			{state === "ready" && <Manifest value={bundle.manifest} />}
			{state === "ready" && bundle.sha256 && (
				<p class="quiet mono bundle-hash">SHA-256 {bundle.sha256}</p>
			)}
		</li>
	);
}

interface ServerBundlesProps {
	server: Server;
	me: Me;
	live: Live;
	now: number;
}

export function ServerBundles({ server, me, live, now }: ServerBundlesProps) {
	const { bundles, problem, load, put, drop } = useBundles(server.id, live);
	const [removing, setRemoving] = useState<Bundle | null>(null);
	const coming = bundles?.filter(isComing).length ?? 0;
	return (
		<Panel
			title="Support bundles"
			note={bundles && bundles.length > 0 ? plural(bundles.length, "bundle") : undefined}
		>
			{may(me, "operate") && <Ask server={server} onAsked={put} />}
			<p class="unseen" role="status">
				{coming > 0 ? `${plural(coming, "bundle")} on the way.` : ""}
			</p>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!bundles && !problem && <Skeleton lines={3} />}
			{bundles?.length === 0 && <p class="quiet">There is none yet.</p>}
			{bundles && bundles.length > 0 && (
				<ul class="bundle-list">
					{bundles.map((bundle) => (
						<BundleRow
							key={bundle.id}
							bundle={bundle}
							now={now}
							onRemove={may(me, "remove") ? () => setRemoving(bundle) : null}
						/>
					))}
				</ul>
			)}
			{removing && (
				<Confirm
					title="Remove this bundle?"
					action="Remove bundle"
					doing="Removing…"
					onConfirm={async () => {
						await api.removeBundle(removing.id);
						drop(removing.id);
						setRemoving(null);
					}}
					onClose={() => setRemoving(null)}
				>
					<p>Its file is deleted from the hub. The machine can be asked for another.</p>
				</Confirm>
			)}
		</Panel>
	);
}
