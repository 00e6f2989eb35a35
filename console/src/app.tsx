// Who the reader is, where he is, and the frame around every page.

import { useEffect, useState } from "preact/hooks";
import { api, asProblem, onSignedOut, type Problem } from "./api";
import { useChanges } from "./emitter";
import { Live } from "./live";
import { Frame } from "./parts/frame";
import { ProblemNote, Skeleton } from "./parts/basics";
import { SetUp, SetUpFirst, SignIn } from "./pages/enter";
import { AddServer } from "./pages/add-server";
import { NotFound } from "./pages/not-found";
import { ServerPage } from "./pages/server";
import { Servers } from "./pages/servers";
import { Tokens } from "./pages/tokens";
import { Roster } from "./roster";
import { router } from "./router";
import type { Me } from "./types";

type Who =
	| { is: "unknown" }
	| { is: "nobody"; setupNeeded: boolean }
	| { is: "unreachable"; problem: Problem }
	| { is: "signed-in"; me: Me; live: Live; roster: Roster };

function signedIn(me: Me): Who {
	const live = new Live();
	const roster = new Roster(live);
	live.refused = () => void api.me().catch(() => {}); // its 401 signs the reader out
	live.start();
	void roster.load();
	return { is: "signed-in", me, live, roster };
}

function useSession() {
	const [who, setWho] = useState<Who>({ is: "unknown" });

	const find = async () => {
		try {
			setWho(signedIn(await api.me()));
		} catch (error) {
			const problem = asProblem(error);
			if (problem.status !== 401) return setWho({ is: "unreachable", problem });
			try {
				const { needed } = await api.setupNeeded();
				setWho({ is: "nobody", setupNeeded: needed });
			} catch (setupError) {
				setWho({ is: "unreachable", problem: asProblem(setupError) });
			}
		}
	};
	const leave = () =>
		setWho((old) => {
			if (old.is !== "signed-in") return old;
			old.live.stop();
			old.roster.close();
			return { is: "nobody", setupNeeded: false };
		});

	useEffect(() => {
		onSignedOut(leave);
		void find();
	}, []);
	return { who, find, leave };
}

export function App() {
	const { who, find, leave } = useSession();
	const { parts } = useChanges(router);
	const [page, argument] = parts;

	const entered = async () => {
		if (page === "setup") router.replace("/"); // the code leaves the address bar and the history
		await find();
	};
	const signOut = async () => {
		try {
			await api.signOut();
		} catch (error) {
			const problem = asProblem(error);
			if (problem.status !== 401) throw problem;
		}
		leave();
	};

	if (who.is === "unknown")
		return (
			<main class="page page-alone">
				<Skeleton lines={6} />
			</main>
		);
	if (who.is === "unreachable") {
		return (
			<main class="page page-alone">
				<ProblemNote problem={who.problem} retry={() => void find()} />
			</main>
		);
	}
	if (who.is === "nobody") {
		if (page === "setup" && argument) return <SetUp code={argument} onEntered={() => void entered()} />;
		if (who.setupNeeded) return <SetUpFirst retry={() => void find()} />;
		return <SignIn onEntered={() => void entered()} />;
	}

	const { me, live, roster } = who;
	return (
		<Frame me={me} live={live} page={page ?? ""} signOut={signOut}>
			{page === undefined || page === "add" ? (
				<>
					<Servers roster={roster} live={live} />
					{page === "add" && <AddServer me={me} live={live} roster={roster} />}
				</>
			) : page === "servers" && argument ? (
				<ServerPage key={argument} id={argument} me={me} live={live} roster={roster} />
			) : page === "tokens" ? (
				<Tokens live={live} />
			) : (
				<NotFound />
			)}
		</Frame>
	);
}
