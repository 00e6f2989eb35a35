// Servers that were expected and have not appeared: rows of their own in the list of servers, with the
// stage at which it stopped and what to do about it.

import { useState } from "preact/hooks";
import { api, asProblem, type Problem, type ServerQuery } from "../api";
import { hostOf } from "../installs";
import { DEFAULT_SORT, fold } from "../order";
import type { Target } from "../types";
import { asText } from "../untrusted";
import { ago, number, plural } from "../words";
import { ProblemNote } from "./basics";
import { Question } from "./icons";
import { stageWord, systemOf } from "./installs";
import { Why } from "./why";

const SHOWN = 5; // before it is asked for the others

// Those that fit the filters of the list. They are no part of what is sorted by another column.
export function missingIn(targets: Target[] | null, query: ServerQuery): Target[] {
	const { q, status, platform, location, sort } = query;
	if (status === "online" || platform === "windows" || sort !== DEFAULT_SORT) return [];
	const words = fold(q).split(/\s+/).filter(Boolean);
	return (targets ?? []).filter((target) => {
		const text = fold(`${target.name} ${target.host} ${target.location}`);
		return (!location || target.location === location) && words.every((word) => text.includes(word));
	});
}

interface RowProps {
	target: Target;
	now: number;
	pickable: boolean;
	onForget: (() => void) | null; // null: not allowed
}

function Row({ target, now, pickable, onForget }: RowProps) {
	const name = target.name || target.host;
	const stage = stageWord(target.stage);
	return (
		<div role="row" class="row row-missing">
			<div class="row-grid">
				{pickable && <div role="cell" class="cell-pick" />}
				<div role="cell" class="cell-status">
					<span class="missing-word">
						<Question /> Not here
					</span>
				</div>
				<div role="cell" class="cell-name">
					<a
						href={`#/installs/${encodeURIComponent(target.install)}/${encodeURIComponent(target.id)}`}
						title={name}
					>
						{name}
					</a>
				</div>
				<div role="cell" class="cell-address" title={hostOf(target)}>
					{hostOf(target)}
				</div>
				<div role="cell" class="cell-os" title={systemOf(target)}>
					{systemOf(target)}
				</div>
				<div role="cell" class="cell-location" title={target.location}>
					{target.location}
				</div>
				<div role="cell" class="cell-version">
					–
				</div>
				<div role="cell" class="cell-last_seen">
					never
				</div>
			</div>
			<Why reason={asText(target.sentence) || "It has not appeared."} remedy={asText(target.remedy)} />
			<p role="cell" class="missing-act quiet">
				Expected {ago(target.updated_at, now)}
				{stage && (
					<>
						, stopped at <strong>{stage}</strong>
					</>
				)}
				.{" "}
				{onForget && (
					<button class="link" onClick={onForget} aria-label={`Expect it no longer: ${name}`}>
						Expect it no longer
					</button>
				)}
			</p>
		</div>
	);
}

interface MissingRowsProps {
	targets: Target[];
	now: number;
	pickable: boolean;
	mayForget: boolean;
	onForgotten: () => Promise<void>;
}

export function MissingRows({ targets, now, pickable, mayForget, onForgotten }: MissingRowsProps) {
	const [all, setAll] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const forget = async (target: Target) => {
		setProblem(null);
		try {
			await api.forgetMissing(target.id);
			await onForgotten();
		} catch (error) {
			setProblem(asProblem(error));
		}
	};
	if (targets.length === 0) return null;
	const rest = targets.length - SHOWN;
	return (
		<>
			<div role="rowgroup" class="missing" aria-label="Expected, and not here">
				{targets.slice(0, all ? targets.length : SHOWN).map((target) => (
					<Row
						key={target.id}
						target={target}
						now={now}
						pickable={pickable}
						onForget={mayForget ? () => void forget(target) : null}
					/>
				))}
				{rest > 0 && (
					<div role="row" class="missing-more">
						<div role="cell">
							<button class="link" aria-expanded={all} onClick={() => setAll(!all)}>
								{all
									? `Show ${number(SHOWN)} of them`
									: `${plural(rest, "more server")} not here: show`}
							</button>
						</div>
					</div>
				)}
			</div>
			{problem && <ProblemNote problem={problem} />}
		</>
	);
}
