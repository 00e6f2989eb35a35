// What stands around every page: the bar at the top, and the word when the hub is gone.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import { useChanges } from "../emitter";
import type { Live } from "../live";
import { chooseTheme, theme, type Theme } from "../theme";
import type { Me } from "../types";
import { clock } from "../words";
import { ProblemNote } from "./basics";
import { Gate, Half, Moon, Sun } from "./icons";

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
	const here = (is: boolean) => (is ? { "aria-current": "page" as const } : {});
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
				<nav aria-label="Pages">
					<a href="#/" {...here(page === "" || page === "add" || page === "servers")}>
						Servers
					</a>
					<a href="#/tokens" {...here(page === "tokens")}>
						Join tokens
					</a>
				</nav>
				<div class="bar-end">
					<span class="bar-hub" title={`The hub, release ${me.hub.release}`}>
						{me.hub.name}
					</span>
					<ThemeButton />
					<span class="bar-user" title={me.role}>
						{me.name}
					</span>
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
