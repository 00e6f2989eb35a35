// The locations: what stands there, which connectors it has, and what it demands of its machines.

import { useState } from "preact/hooks";
import type { Live } from "../live";
import { Empty, ProblemNote, Skeleton, useArrival, useTitle } from "../parts/basics";
import { Plus } from "../parts/icons";
import { Heads } from "../parts/list";
import { ConnectorName, DEMANDS, locationPath, NewLocation, useLocationRows } from "../parts/location";
import { router } from "../router";
import { type Location, may, type Me } from "../types";
import { number, plural } from "../words";

function Row({ location, mayAdd }: { location: Location; mayAdd: boolean }) {
	const { name, servers, online, connectors, addressing, breaking = 0 } = location;
	const offline = servers - online;
	return (
		<tr class="location">
			<th scope="row">
				<a href={`#${locationPath(name)}`}>{name}</a>
			</th>
			<td data-label="Servers">
				{servers === 0 ? (
					<span class="quiet">none yet</span>
				) : (
					<a href={`#/?${new URLSearchParams({ location: name })}`}>{plural(servers, "server")}</a>
				)}
				{offline > 0 && <span class="bad-words"> {number(offline)} offline</span>}
			</td>
			<td data-label="Connectors">
				{connectors.length === 0 ? (
					<span class="quiet">none</span>
				) : (
					<span class="connectors">
						{connectors.map((each) => (
							<ConnectorName key={each.id} connector={each} />
						))}
					</span>
				)}
			</td>
			<td data-label="Demands">
				{DEMANDS[addressing]?.short ?? addressing}
				{breaking > 0 && <span class="warn-words"> broken by {number(breaking)}</span>}
			</td>
			<td class="token-act">
				{mayAdd && (
					<a
						class="button button-small"
						href={`#/add-servers?${new URLSearchParams({ location: name })}`}
						aria-label={`Add servers to ${name}`}
					>
						Add servers
					</a>
				)}
			</td>
		</tr>
	);
}

function NoLocations({ mayAdd, onNew }: { mayAdd: boolean; onNew: () => void }) {
	return (
		<Empty title="No locations yet">
			<p>
				A location is where machines stand that reach each other. One of them, its connector, puts the
				agent on the others, so that none of them has to be reached from outside.
			</p>
			{mayAdd ? (
				<>
					<ol class="steps">
						<li>Make a location.</li>
						<li>
							Let the first machine join: <a href="#/add">copy a command</a> to it, and move it
							to the location on its page.
						</li>
						<li>Promote it to connector. It adds the servers around it over SSH.</li>
					</ol>
					<p>
						<button class="button button-primary" onClick={onNew}>
							<Plus /> New location
						</button>
					</p>
				</>
			) : (
				<p>Your account may not make one: ask an architect or an administrator.</p>
			)}
		</Empty>
	);
}

export function Locations({ me, live }: { me: Me; live: Live }) {
	useTitle("Locations");
	useArrival();
	const { rows, problem, load } = useLocationRows(live);
	const [making, setMaking] = useState(false);
	const mayAdd = may(me, "enrol");
	return (
		<main class="page" id="main" tabIndex={-1}>
			<div class="list-head">
				<h1>Locations</h1>
				{mayAdd && rows && rows.length > 0 && (
					<button class="button button-primary add" onClick={() => setMaking(true)}>
						<Plus /> New location
					</button>
				)}
			</div>
			{problem && <ProblemNote problem={problem} retry={() => void load()} />}
			{!rows && !problem && <Skeleton lines={5} />}
			{rows?.length === 0 && <NoLocations mayAdd={mayAdd} onNew={() => setMaking(true)} />}
			{rows && rows.length > 0 && (
				<table class="tokens locations">
					<Heads labels={["Location", "Servers", "Connectors", "Demands"]} />
					<tbody>
						{rows.map((location) => (
							<Row key={location.name} location={location} mayAdd={mayAdd} />
						))}
					</tbody>
				</table>
			)}
			{making && (
				<NewLocation
					others={(rows ?? []).map(({ name }) => name)}
					onDone={async (name) => router.go(locationPath(name))}
					onClose={() => setMaking(false)}
				/>
			)}
		</main>
	);
}
