// The join tokens: what each was for, what is left of it, and taking it back.

import { useState } from "preact/hooks";
import { api } from "../api";
import { useNow } from "../clock";
import { useFetched } from "../fetched";
import type { Live } from "../live";
import { Confirm, Empty, ProblemNote, Skeleton, useArrival, useTitle } from "../parts/basics";
import { Plus } from "../parts/icons";
import { Heads } from "../parts/list";
import type { Token } from "../types";
import { ago, ahead, moment, number } from "../words";

const STATES: Record<Token["state"], string> = {
	valid: "Valid",
	expired: "Expired",
	"used-up": "Used up",
	revoked: "Revoked",
};

function useTokens(live: Live) {
	const { value, problem, load } = useFetched<Token[]>(
		"",
		live,
		async (signal) => (await api.tokens(signal)).tokens,
		// A server that joins changes the counts, and a token's uses.
		({ load: again }) => [live.on("counts", () => void again())],
	);
	return { tokens: value, problem, load };
}

function TokenRow({ token, now, onRevoke }: { token: Token; now: number; onRevoke: () => void }) {
	return (
		<tr class={`token token-${token.state}`}>
			<th scope="row">{token.label || <span class="quiet">no label</span>}</th>
			<td data-label="State">
				<span class={`tag tag-${token.state}`}>{STATES[token.state] ?? token.state}</span>
			</td>
			<td data-label="Used">
				{number(token.used)} of {number(token.uses)}
			</td>
			<td data-label="Expires" title={moment(token.expires_at, now)}>
				{token.state === "expired" ? ago(token.expires_at, now) : ahead(token.expires_at, now)}
			</td>
			<td data-label="Made" title={moment(token.created_at, now)}>
				{ago(token.created_at, now)} by {token.created_by}
			</td>
			<td class="token-act">
				{token.state === "valid" && (
					<button
						class="button button-small"
						onClick={onRevoke}
						aria-label={`Revoke ${token.label || "the token without a label"}`}
					>
						Revoke
					</button>
				)}
			</td>
		</tr>
	);
}

export function Tokens({ live }: { live: Live }) {
	useTitle("Join tokens");
	const now = useNow();
	const { tokens, problem, load } = useTokens(live);
	const [revoking, setRevoking] = useState<Token | null>(null);
	useArrival();

	const revoke = async (token: Token) => {
		await api.revokeToken(token.id);
		await load();
		setRevoking(null);
	};
	return (
		<main class="page" id="main" tabIndex={-1}>
			<div class="list-head">
				<h1>Join tokens</h1>
				<a class="button button-primary add" href="#/add">
					<Plus /> Add server
				</a>
			</div>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!tokens && !problem && <Skeleton lines={5} />}
			{tokens?.length === 0 && (
				<Empty title="No join tokens">
					<p>
						A join token lets a machine join this hub. <strong>Add server</strong> makes one; here
						you see what is left of it and can take it back.
					</p>
				</Empty>
			)}
			{tokens && tokens.length > 0 && (
				<table class="tokens">
					<Heads labels={["Label", "State", "Used", "Expires", "Made"]} />
					<tbody>
						{tokens.map((token) => (
							<TokenRow
								key={token.id}
								token={token}
								now={now}
								onRevoke={() => setRevoking(token)}
							/>
						))}
					</tbody>
				</table>
			)}
			{revoking && (
				<Confirm
					title="Revoke this token?"
					action="Revoke"
					doing="Revoking…"
					onConfirm={() => revoke(revoking)}
					onClose={() => setRevoking(null)}
				>
					<p>
						No machine can join with {revoking.label ? `“${revoking.label}”` : "it"} any more.
						Machines that have joined stay.
					</p>
				</Confirm>
			)}
		</main>
	);
}
