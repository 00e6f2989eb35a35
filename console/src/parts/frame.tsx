// What stands around every page: the bar at the top, and the word when the hub is gone.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import { useChanges } from "../emitter";
import type { Live } from "../live";
import { chooseTheme, theme, type Theme } from "../theme";
import { may, type Me, type Permission } from "../types";
import { clock } from "../words";
import { ProblemNote } from "./basics";
import { Gate, Half, Menu, Moon, Sun } from "./icons";

const THEMES: { theme: Theme; next: Theme; icon: () => preact.JSX.Element; words: string }[] = [
	{ theme: "system", next: "light", icon: Half, words: "Colours: as the system" },
	{ theme: "light", next: "dark", icon: Sun, words: "Colours: light" },
	{ theme: "dark", next: "system", icon: Moon, words: "Colours: dark" },
];

function ThemeButton() {
	const [choice, setChoice] = useState(theme);
	const row = THEMES.find((each) => each.theme === choice) ?? THEMES[0]!;
	const next = () => {
		chooseTheme(row.next);
		setChoice(row.next);
	};
	return (
		<button
			class="bar-button"
			onClick={next}
			aria-label={row.words}
			title={`${row.words} (press to change)`}
		>
			<row.icon />
		</button>
	);
}

function Lost({ live }: { live: Live }) {
	useChanges(live);
	return (
		<div role="alert" class="lost-place">
			{live.state === "lost" && (
				<div class="lost">
					<p>
						<strong>The connection to the hub is lost.</strong> You see what was known at{" "}
						{clock(live.lostAt)}. Trying again…
					</p>
					<button class="button button-small" onClick={live.tryNow}>
						Try now
					</button>
				</div>
			)}
		</div>
	);
}

// The pages, and what one must be allowed to see them.
const PAGES: { page: string; label: string; also?: string[]; needs: Permission }[] = [
	{ page: "", label: "Servers", also: ["add", "add-servers", "servers"], needs: "read" },
	{ page: "locations", label: "Locations", also: ["installs"], needs: "read" },
	{ page: "jobs", label: "Jobs", needs: "read" },
	{ page: "tokens", label: "Join tokens", needs: "enrol" },
	{ page: "audit", label: "Audit trail", needs: "audit" },
	{ page: "users", label: "Users", needs: "users" },
	{ page: "keys", label: "API keys", needs: "keys" },
];

// On a phone the pages stand below a button.
function Pages({ me, page }: { me: Me; page: string }) {
	const [open, setOpen] = useState(false);
	useEffect(() => setOpen(false), [page]);
	const here = (is: boolean) => (is ? { "aria-current": "page" as const } : {});
	const shown = PAGES.filter(({ needs }) => may(me, needs));
	const current = shown.find((each) => each.page === page || each.also?.includes(page));
	return (
		<>
			<button
				class="bar-button menu-button"
				aria-expanded={open}
				aria-controls="pages"
				onClick={() => setOpen(!open)}
			>
				<Menu /> {current?.label ?? "Menu"}
			</button>
			<nav
				id="pages"
				aria-label="Pages"
				class={open ? "is-open" : ""}
				onKeyDown={(event) => {
					if (event.key !== "Escape" || !open) return;
					setOpen(false);
					document.querySelector<HTMLElement>(".menu-button")?.focus();
				}}
				onClick={() => setOpen(false)}
			>
				{shown.map((each) => (
					<a key={each.page} href={`#/${each.page}`} {...here(each === current)}>
						{each.label}
					</a>
				))}
				<a class="menu-only" href="#/account" {...here(page === "account")}>
					Account
				</a>
			</nav>
		</>
	);
}

interface FrameProps {
	me: Me;
	live: Live;
	page: string;
	signOut: () => Promise<void>;
	children: ComponentChildren;
}

export function Frame({ me, live, page, signOut, children }: FrameProps) {
	const [problem, setProblem] = useState<Problem | null>(null);
	const leave = () => signOut().catch((error) => setProblem(asProblem(error)));
	return (
		<>
			<a
				class="skip"
				href="#main"
				onClick={(event) => {
					event.preventDefault();
					document.getElementById("main")?.focus();
				}}
			>
				Skip to the content
			</a>
			<header class="bar">
				<a class="brand" href="#/" aria-label="Sallyport: servers">
					<Gate />
					<span>Sallyport</span>
				</a>
				<Pages me={me} page={page} />
				<div class="bar-end">
					<span class="bar-hub" title={`The hub, release ${me.hub.release}`}>
						{me.hub.name}
					</span>
					<ThemeButton />
					<a
						class="bar-user"
						href="#/account"
						title={`Your account (${me.role})`}
						{...(page === "account" ? { "aria-current": "page" as const } : {})}
					>
						{me.name}
					</a>
					<button class="bar-button" onClick={() => void leave()}>
						Sign out
					</button>
				</div>
			</header>
			<Lost live={live} />
			{problem && (
				<div class="page">
					<ProblemNote problem={problem} retry={() => void leave()} />
				</div>
			)}
			{children}
		</>
	);
}
