// What the machine said of itself when it last joined or changed.

import type { ComponentChildren } from "preact";
import { asList, asNumber, asText, asTree } from "../untrusted";
import { bytes, duration } from "../words";

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
	const shown = rows.filter(([, value]) => value !== "" && value !== null && value !== undefined);
	return (
		<dl class="facts">
			{shown.map(([name, value]) => (
				<div key={name}>
					<dt>{name}</dt>
					<dd>{value}</dd>
				</div>
			))}
		</dl>
	);
}

const join = (parts: unknown[], by = " ") => parts.map(asText).filter(Boolean).join(by);

function Interfaces({ value }: { value: unknown }) {
	const items = asList(value).map(asTree);
	if (items.length === 0) return null;
	return (
		<>
			<h3>Network</h3>
			<ul class="plain-list">
				{items.map((item, i) => {
					const addresses = [item["ipv4"], item["ipv6"]]
						.flatMap((each) => (Array.isArray(each) ? asList(each).map(asText) : [asText(each)]))
						.filter(Boolean);
					return (
						<li key={i}>
							<span>
								<strong>{asText(item["name"])}</strong>
								{item["up"] === false && <span class="quiet"> down</span>}
							</span>
							<span class="mono">{addresses.join(", ") || "no address"}</span>
							<span class="mono quiet">{asText(item["mac"])}</span>
						</li>
					);
				})}
			</ul>
		</>
	);
}

function Disks({ value }: { value: unknown }) {
	const items = asList(value).map(asTree);
	if (items.length === 0) return null;
	return (
		<>
			<h3>Disks</h3>
			<ul class="plain-list">
				{items.map((item, i) => {
					const size = asNumber(item["size"]);
					const free = asNumber(item["free"]);
					return (
						<li key={i}>
							<span class="mono">
								{asText(item["mount"])} <span class="quiet">{asText(item["type"])}</span>
							</span>
							{size !== null && free !== null && size > 0 && (
								<>
									<meter
										min={0}
										max={size}
										value={size - free}
										high={size * 0.9}
										aria-label={`${asText(item["mount"])} in use`}
									/>
									<span class="quiet">
										{bytes(free)} free of {bytes(size)}
									</span>
								</>
							)}
						</li>
					);
				})}
			</ul>
		</>
	);
}

export function Inventory({ value }: { value: unknown }) {
	const inventory = asTree(value);
	if (Object.keys(inventory).length === 0)
		return <p class="quiet">The machine has not told anything of itself yet.</p>;
	const cpu = asTree(inventory["cpu"]);
	const memory = asTree(inventory["memory"]);
	const cores = asNumber(cpu["count"]);
	const total = asNumber(memory["total"]);
	const free = asNumber(memory["free"]);
	const uptime = asNumber(inventory["uptime_s"]);
	return (
		<>
			<Facts
				rows={[
					[
						"System",
						join([inventory["os_name"]]) || join([inventory["os"], inventory["os_version"]]),
					],
					["Kernel", join([inventory["kernel"], inventory["arch"]], " · ")],
					["Processor", join([cores === null ? "" : `${cores} ×`, cpu["model"]])],
					[
						"Memory",
						total === null
							? ""
							: `${bytes(total)}${free === null ? "" : `, ${bytes(free)} free`}`,
					],
					["Up for", uptime === null ? "" : duration(uptime)],
					["Agent", asText(inventory["agent_version"])],
					[
						"Machine id",
						inventory["machine_id"] ? (
							<span class="mono">{asText(inventory["machine_id"])}</span>
						) : (
							""
						),
					],
				]}
			/>
			<Interfaces value={inventory["interfaces"]} />
			<Disks value={inventory["disks"]} />
		</>
	);
}
