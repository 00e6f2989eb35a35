// Who the reader is, where he is, and the frame around every page.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, asProblem, onSignedOut, type Problem } from "./api";
import { useChanges } from "./emitter";
import { Draft } from "./draft";
import { Guide } from "./guide";
import { JobList } from "./jobs";
import { Live } from "./live";
import { Frame } from "./parts/frame";
import { ProblemNote, Skeleton } from "./parts/basics";
import { SetUp, SetUpFirst, SignIn } from "./pages/enter";
import { AddServer } from "./pages/add-server";
import { AddServers } from "./pages/add-servers";
import { Account } from "./pages/account";
import { Audit } from "./pages/audit";
import { InstallPage } from "./pages/install";
import { JobPage } from "./pages/job";
import { Jobs } from "./pages/jobs";
import { Keys } from "./pages/keys";
import { LocationPage } from "./pages/location";
import { Locations } from "./pages/locations";
import { NewJob } from "./pages/new-job";
import { NotFound } from "./pages/not-found";
import { RunPage } from "./pages/run";
import { SECTIONS, ServerPage } from "./pages/server";
import { Servers } from "./pages/servers";
import { Tokens } from "./pages/tokens";
import { Users } from "./pages/users";
import { Roster } from "./roster";
import { router } from "./router";
import { may, type Me, type Permission } from "./types";

// What outlives a page, and ends when the reader signs out.
interface Session {
	me: Me;
	live: Live;
	roster: Roster;
	jobs: JobList;
	draft: Draft;
	guide: Guide;
}

type Who =
	| { is: "unknown" }
	| { is: "nobody"; setupNeeded: boolean }
	| { is: "unreachable"; problem: Problem }
	| ({ is: "signed-in" } & Session);

function signedIn(me: Me): Who {
	const live = new Live();
	const roster = new Roster(live);
	live.refused = () => void api.me().catch(() => {}); // its 401 signs the reader out
	live.start();
	void roster.load();
	const jobs = new JobList(live);
	return { is: "signed-in", me, live, roster, jobs, draft: new Draft(), guide: new Guide() };
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
			old.jobs.close();
			return { is: "nobody", setupNeeded: false };
		});

	useEffect(() => {
		onSignedOut(leave);
		void find();
	}, []);
	return { who, find, leave };
}

// The same list below the dialog as without it: what has the focus stays.
function drawServers(session: Session, adding: boolean) {
	return (
		<>
			<Servers {...session} />
			{adding && <AddServer {...session} />}
		</>
	);
}

// The pages by the first part of the address; what one may not do is not there either.
const PAGES: Record<
	string,
	{ needs?: Permission; draw: (session: Session, rest: string[]) => ComponentChildren }
> = {
	"": { needs: "read", draw: (session) => drawServers(session, false) },
	add: { needs: "enrol", draw: (session) => drawServers(session, true) },
	servers: {
		needs: "read",
		draw: (session, [id, section = ""]) =>
			id && Object.hasOwn(SECTIONS, section) ? (
				<ServerPage key={id} id={id} section={section} {...session} />
			) : null,
	},
	"add-servers": {
		needs: "enrol",
		draw: ({ guide, live }) => (
			<AddServers key={router.query.get("action") ?? ""} guide={guide} live={live} />
		),
	},
	installs: {
		needs: "read",
		draw: (session, [id, target]) =>
			id ? <InstallPage key={id} id={id} target={target} {...session} /> : null,
	},
	locations: {
		needs: "read",
		draw: ({ me, live }, [name]) =>
			name ? (
				<LocationPage key={name} name={name} me={me} live={live} />
			) : (
				<Locations me={me} live={live} />
			),
	},
	jobs: {
		needs: "read",
		draw: ({ jobs, ...session }, [job, server]) => {
			if (!job) return <Jobs list={jobs} {...session} />;
			if (job === "new") return <NewJob {...session} />;
			if (!server) return <JobPage key={job} id={job} {...session} />;
			return <RunPage key={`${job}/${server}`} job={job} server={server} {...session} />;
		},
	},
	tokens: { needs: "enrol", draw: (session) => <Tokens {...session} /> },
	audit: { needs: "audit", draw: (session) => <Audit {...session} /> },
	users: { needs: "users", draw: (session) => <Users {...session} /> },
	keys: { needs: "keys", draw: (session) => <Keys {...session} /> },
	account: { draw: (session) => <Account {...session} /> },
};

function pageOf(session: Session, [name = "", ...rest]: string[]): ComponentChildren {
	const page = Object.hasOwn(PAGES, name) ? PAGES[name] : undefined;
	if (!page || (page.needs && !may(session.me, page.needs))) return <NotFound />;
	return page.draw(session, rest) ?? <NotFound />;
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

	return (
		<Frame me={who.me} live={who.live} page={page ?? ""} signOut={signOut}>
			{pageOf(who, parts)}
		</Frame>
	);
}
