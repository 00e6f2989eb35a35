// The checks of a server: run one from here, watch it, read what it found and what is another than
// before, and look at earlier ones.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { type Checks, isUnfinished, useReport, whenOf } from "../checks";
import { useNow } from "../clock";
import type { CheckRow, Server } from "../types";
import { asList, asText, asTree } from "../untrusted";
import { duration, moment, plural } from "../words";
import { Command, ProblemNote, Prose, Skeleton } from "./basics";
import { Cross, Dash } from "./icons";
import { Report, verdictOf } from "./report";

const HUB_WALK = "The way to the hub";
const MAX_PROFILES = 64;

interface Cause {
	id: string;
	sentence: string;
}

const causesOf = (check: CheckRow): Cause[] =>
	asList(check.causes)
		.map(asTree)
		.map((cause) => ({ id: asText(cause["id"]), sentence: asText(cause["sentence"]) }));

const titleOf = (check: CheckRow) => check.profile.title || check.profile.id || HUB_WALK;
const byWhom = (check: CheckRow) =>
	check.requested_by ? `asked for by ${check.requested_by}` : "by the machine itself";

/* --- asking -------------------------------------------------------------------------------- */

function Offline() {
	return (
		<div class="note check-offline">
			<p>
				It is offline, so it cannot be asked from here. On the machine itself, this does the same and
				names what is in its way:
			</p>
			<Command text="sudo sallyport check" label="the command that checks" />
		</div>
	);
}

interface AskProps {
	server: Server;
	busy: boolean;
	onAsked: (row: CheckRow) => void;
}

function Ask({ server, busy, onAsked }: AskProps) {
	const [profile, setProfile] = useState("");
	const [deep, setDeep] = useState(false);
	const [asking, setAsking] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const profiles = asList(asTree(server.inventory)["profiles"])
		.slice(0, MAX_PROFILES)
		.map(asTree)
		.map((item) => ({ id: asText(item["id"]), title: asText(item["title"]) }))
		.filter(({ id }) => id);
	const ask = async (event: Event) => {
		event.preventDefault();
		if (busy || asking) return;
		setAsking(true);
		setProblem(null);
		try {
			onAsked(await api.runCheck(server.id, profile, deep));
		} catch (error) {
			setProblem(asProblem(error));
		}
		setAsking(false);
	};
	return (
		<>
			<form class="check-ask" onSubmit={(event) => void ask(event)}>
				<div class="check-profile">
					<label for="check-profile">What to check</label>
					<select
						id="check-profile"
						class="select"
						value={profile}
						onChange={(event) => setProfile(event.currentTarget.value)}
					>
						<option value="">{HUB_WALK}</option>
						{profiles.map(({ id, title }) => (
							<option key={id} value={id}>
								{title || id}
							</option>
						))}
					</select>
				</div>
				<label class="check-deep">
					<input
						type="checkbox"
						checked={deep}
						onChange={(event) => setDeep(event.currentTarget.checked)}
					/>
					<span>
						Deep <span class="quiet">(takes minutes)</span>
					</span>
				</label>
				<button class="button button-primary" aria-disabled={busy || asking}>
					Run check now
				</button>
			</form>
			{problem && <ProblemNote problem={problem} />}
		</>
	);
}

function Running({ check }: { check: CheckRow }) {
	const now = useNow(1000);
	const seconds = (now - Date.parse(check.started_at ?? check.requested_at)) / 1000;
	const what = `${titleOf(check)}${check.deep ? ", deep" : ""}, ${byWhom(check)}`;
	return (
		<p class="waiting check-running">
			<span class="pulse" aria-hidden="true" />
			<span>
				{check.state === "running" ? (
					<>
						<strong>Checking</strong> for {duration(seconds)}:
					</>
				) : (
					<strong>Waiting for the machine to begin:</strong>
				)}{" "}
				{what}.
			</span>
		</p>
	);
}

/* --- one check ----------------------------------------------------------------------------- */

// What the check before of the same profile found and this one did not. What is new is marked where it
// stands.
function Gone({ causes, before, now }: { causes: Cause[]; before: CheckRow; now: number }) {
	return (
		<div class="gone">
			<p class="quiet">Gone since the check before, {moment(whenOf(before), now)}:</p>
			<ul>
				{causes.map(({ id, sentence }) => (
					<li key={id}>
						<Dash /> <span>{sentence ? <Prose text={sentence} /> : <code>{id}</code>}</span>
					</li>
				))}
			</ul>
		</div>
	);
}

// "New since yesterday 13:01" for the causes that are.
function freshOf(check: CheckRow, before: CheckRow | undefined, now: number) {
	if (!before) return null;
	const was = new Set(causesOf(before).map(({ id }) => id));
	const ids = causesOf(check)
		.map(({ id }) => id)
		.filter((id) => !was.has(id));
	return { ids: new Set(ids), words: `New since ${moment(whenOf(before), now)}` };
}

interface ResultProps {
	server: string;
	check: CheckRow;
	before: CheckRow | undefined;
	now: number;
}

function Result({ server, check, before, now }: ResultProps) {
	const { report, problem, retry } = useReport(server, check.id, check.repeats);
	const verdict = verdictOf(check.verdict);
	const causes = causesOf(check);
	const gone = before ? causesOf(before).filter(({ id }) => !causes.some((is) => is.id === id)) : [];
	const fresh = freshOf(check, before, now);
	const same = before && causes.length > 0 && gone.length === 0 && fresh?.ids.size === 0;
	const took = (Date.parse(check.finished_at ?? "") - Date.parse(check.started_at ?? "")) / 1000;
	return (
		<>
			<p class={`verdict verdict-${verdict.tone}`}>{verdict.words}</p>
			<p class="quiet">
				{titleOf(check)}
				{check.deep && ", deep"} · {moment(check.finished_at, now)}, {byWhom(check)}
				{check.requested_by && took >= 1 && `, took ${duration(took)}`}
				{check.repeats > 1 &&
					` · it came out like this ${check.repeats} times in a row, since ${moment(check.requested_at, now)}`}
			</p>
			{same && <p class="quiet">The same as in the check before, {moment(whenOf(before), now)}.</p>}
			{before && gone.length > 0 && <Gone causes={gone} before={before} now={now} />}
			{problem && <ProblemNote problem={problem} retry={retry} />}
			{!report && !problem && <Skeleton lines={4} />}
			{report && <Report key={check.id} report={report.report} fresh={fresh} />}
		</>
	);
}

function NoResult({ check, now }: { check: CheckRow; now: number }) {
	return (
		<div class="note note-bad">
			<p class="note-title">
				{check.state === "lost" ? "The check was lost" : "The check gave no report"}
			</p>
			<p>
				<Prose text={check.reason ?? "The machine did not say why."} />
			</p>
			<p class="quiet">
				{titleOf(check)} · {moment(whenOf(check), now)}, {byWhom(check)}
			</p>
		</div>
	);
}

/* --- the history --------------------------------------------------------------------------- */

function outcomeOf(check: CheckRow): { words: string; tone: string; icon: preact.JSX.Element } {
	if (check.state === "done") {
		const verdict = verdictOf(check.verdict);
		return { words: verdict.short, tone: verdict.tone, icon: <verdict.icon /> };
	}
	if (isUnfinished(check))
		return { words: check.state === "running" ? "runs now" : "waits", tone: "none", icon: <Dash /> };
	return { words: check.state === "lost" ? "lost" : "no report", tone: "none", icon: <Cross /> };
}

interface EntryProps {
	check: CheckRow;
	open: boolean;
	now: number;
	onOpen: () => void;
}

function Entry({ check, open, now, onOpen }: EntryProps) {
	const outcome = outcomeOf(check);
	const causes = causesOf(check);
	const why = causes[0]?.sentence || causes[0]?.id || check.reason || "";
	return (
		<li>
			<button class="entry" aria-current={open ? "true" : undefined} onClick={onOpen}>
				<span class={`entry-mark verdict-${outcome.tone}`} aria-hidden="true">
					{outcome.icon}
				</span>
				<span class="entry-time">{moment(whenOf(check), now)}</span>
				<span class={`entry-verdict verdict-${outcome.tone}`}>{outcome.words}</span>
				<span class="entry-what">
					{titleOf(check)}
					{check.deep && ", deep"}
					<span class="quiet">
						, {byWhom(check)}
						{check.repeats > 1 && `, ${check.repeats} times`}
					</span>
				</span>
				{why && (
					<span class="entry-why">
						<Prose text={why} />
						{causes.length > 1 && ` · ${causes.length - 1} more`}
					</span>
				)}
			</button>
		</li>
	);
}

interface HistoryProps {
	checks: Checks;
	shown: string | null;
	now: number;
	onOpen: (check: string) => void;
}

export function History({ checks, shown, now, onOpen }: HistoryProps) {
	return (
		<>
			<ol class="history">
				{(checks.rows ?? []).map((check) => (
					<Entry
						key={check.id}
						check={check}
						open={check.id === shown}
						now={now}
						onOpen={() => onOpen(check.id)}
					/>
				))}
			</ol>
			{checks.more && (
				<button class="button button-small" onClick={() => void checks.loadMore()}>
					Show older ones
				</button>
			)}
		</>
	);
}

/* --- all of it ----------------------------------------------------------------------------- */

// Which check is looked at: the newest that has a report, until another one is opened.
export function useShown(checks: Checks) {
	const [opened, setOpened] = useState<string | null>(null);
	const rows = checks.rows ?? [];
	const newest = rows.find((check) => check.state === "done") ?? null;
	const chosen = rows.find((check) => check.id === opened && !isUnfinished(check));
	return { shown: chosen ?? newest, newest, chosen: chosen !== undefined, open: setOpened };
}

// Says to a screen reader how a check that runs comes out.
function Announcement({ rows }: { rows: CheckRow[] }) {
	const running = rows.find(isUnfinished);
	const watched = useRef<string | null>(null);
	const [words, setWords] = useState("");
	useEffect(() => {
		if (running) {
			watched.current = running.id;
			setWords(running.state === "running" ? "The check runs." : "The check was asked for.");
			return;
		}
		const done = rows.find((check) => check.id === watched.current);
		if (!done) return;
		watched.current = null;
		setWords(
			done.state === "done"
				? `The check is done. ${verdictOf(done.verdict).words}.`
				: `The check gave no report. ${done.reason ?? ""}`,
		);
	}, [running?.id, running?.state, rows]);
	return (
		<p class="unseen" role="status">
			{words}
		</p>
	);
}

// What stands over a report that is not the last word.
function caption(running: boolean, online: boolean, failed: boolean): string {
	if (running) return "The newest report so far:";
	if (!online) return "What the last check found:";
	return failed ? "The newest report:" : "";
}

interface CheckPanelProps {
	server: Server;
	mayAsk: boolean;
	checks: Checks;
	look: ReturnType<typeof useShown>;
	now: number;
}

export function CheckPanel({ server, mayAsk, checks, look, now }: CheckPanelProps) {
	const { shown, newest, chosen, open } = look;
	const rows = checks.rows;
	const running = rows?.find(isUnfinished);
	const online = server.status === "online";
	const latest = rows?.find((check) => !isUnfinished(check));
	const failed = !chosen && latest && latest.state !== "done" ? latest : null;
	const earlier = chosen && shown?.id !== newest?.id;
	const over = earlier ? "" : caption(running !== undefined, online, failed !== null);
	const before = rows
		?.slice(shown ? rows.indexOf(shown) + 1 : 0)
		.find((check) => check.state === "done" && check.profile.id === shown?.profile.id);
	const asked = (row: CheckRow) => {
		checks.add(row);
		open(null);
	};
	return (
		<>
			{!online && <Offline />}
			{online && mayAsk && <Ask server={server} busy={running !== undefined} onAsked={asked} />}
			{running && <Running check={running} />}
			<Announcement rows={rows ?? []} />
			{checks.problem && <ProblemNote problem={checks.problem} retry={() => void checks.load()} />}
			{!rows && !checks.problem && <Skeleton lines={4} />}
			{failed && <NoResult check={failed} now={now} />}
			{earlier && (
				<p class="check-earlier">
					This is an earlier check.{" "}
					<button class="link" onClick={() => open(null)}>
						Show the newest
					</button>
				</p>
			)}
			{shown && over && <p class="quiet check-caption">{over}</p>}
			{shown?.state === "done" && <Result server={server.id} check={shown} before={before} now={now} />}
			{shown && shown.state !== "done" && <NoResult check={shown} now={now} />}
			{rows && !shown && !running && (
				<p class="quiet">
					No report has arrived yet. The machine checks its way to the hub by itself when it
					connects
					{online && ", and whenever it is asked here"}.
				</p>
			)}
		</>
	);
}

export const historyNote = (checks: Checks) =>
	checks.rows && checks.rows.length > 0
		? checks.more
			? "the newest"
			: plural(checks.rows.length, "check")
		: undefined;
