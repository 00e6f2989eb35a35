// What narrows and orders the list of servers.

import { useEffect, useState } from "preact/hooks";
import { api, type ServerQuery } from "../api";
import type { Roster } from "../roster";
import { SearchBox, Segments } from "./search";

export function useLocations(): string[] {
	const [names, setNames] = useState<string[]>([]);
	useEffect(() => {
		const abort = new AbortController();
		api.locations(abort.signal)
			.then((locations) => setNames(locations.map(({ name }) => name).filter(Boolean)))
			.catch(() => {}); // a filter less; the page says elsewhere when the hub is gone
		return () => abort.abort();
	}, []);
	return names;
}

// For a phone, which has no column heads to press.
const SORTS = {
	status: "Problems first",
	"-last_seen": "Seen last first",
	last_seen: "Seen longest ago first",
	name: "Name A to Z",
	"-name": "Name Z to A",
	address: "Address",
	os: "System",
	version: "Agent version",
};

export const PLATFORMS = [
	{ value: "", label: "All platforms" },
	{ value: "linux", label: "Linux" },
	{ value: "windows", label: "Windows" },
];

export function StatusFilter({
	roster,
	value,
	onChange,
}: {
	roster: Roster;
	value: string;
	onChange: (value: string) => void;
}) {
	const { counts } = roster;
	const dot = (status: string, count: number | undefined) => (
		<span class={`dot ${count ? `dot-${status}` : "dot-none"}`} aria-hidden="true" />
	);
	return (
		<Segments
			label="Show by status"
			value={value}
			onChange={onChange}
			options={[
				{ value: "", label: "All", count: counts?.all },
				{
					value: "offline",
					label: "Offline",
					count: counts?.offline,
					mark: dot("offline", counts?.offline),
				},
				{
					value: "online",
					label: "Online",
					count: counts?.online,
					mark: dot("online", counts?.online),
				},
			]}
		/>
	);
}

function SortChoice({ sort, onSort }: { sort: string; onSort: (sort: string) => void }) {
	return (
		<select
			class="select sort-choice"
			aria-label="Sort by"
			value={sort}
			onChange={(event) => onSort(event.currentTarget.value)}
		>
			{Object.entries(SORTS).map(([value, label]) => (
				<option key={value} value={value}>
					{label}
				</option>
			))}
		</select>
	);
}

interface ToolsProps {
	query: ServerQuery;
	change: (change: Partial<ServerQuery>) => void;
}

export function ServerTools({ query, change }: ToolsProps) {
	const locations = useLocations();
	return (
		<div class="list-tools">
			<SearchBox
				value={query.q}
				onChange={(q) => change({ q })}
				label="Search servers"
				title="Name, address, MAC, system, location or version (press / to come here)"
				slash
			/>
			<select
				class="select"
				aria-label="Platform"
				value={query.platform}
				onChange={(event) => change({ platform: event.currentTarget.value })}
			>
				{PLATFORMS.map((each) => (
					<option key={each.value} value={each.value}>
						{each.label}
					</option>
				))}
			</select>
			{(locations.length > 1 || query.location) && (
				<select
					class="select"
					aria-label="Location"
					value={query.location}
					onChange={(event) => change({ location: event.currentTarget.value })}
				>
					<option value="">All locations</option>
					{[...new Set([...locations, query.location])].filter(Boolean).map((name) => (
						<option key={name} value={name}>
							{name}
						</option>
					))}
				</select>
			)}
			<SortChoice sort={query.sort} onSort={(sort) => change({ sort })} />
		</div>
	);
}
