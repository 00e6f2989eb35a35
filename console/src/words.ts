// Times and sizes in words. Times are RFC 3339 strings from the hub, or null for one that it does not
// know, which gives no words; `now` is the hub's clock.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function count(n: number, unit: string): string {
	return `${n} ${unit}${n === 1 ? "" : "s"}`;
}

// "40 seconds", "12 minutes", "3 h 20 min", "5 days"
export function duration(seconds: number): string {
	const s = Math.max(0, Math.round(seconds));
	if (s < MINUTE) return count(s, "second");
	if (s < HOUR) return count(Math.floor(s / MINUTE), "minute");
	if (s < DAY) {
		const minutes = Math.floor((s % HOUR) / MINUTE);
		const hours = Math.floor(s / HOUR);
		return minutes === 0 || hours >= 10 ? count(hours, "hour") : `${hours} h ${minutes} min`;
	}
	return count(Math.floor(s / DAY), "day");
}

// "for 12 minutes", or "just now" while that would flicker.
export function lasting(since: string | null, now: number): string {
	const s = (now - Date.parse(since ?? "")) / 1000;
	if (Number.isNaN(s)) return "";
	return s < 10 ? "just now" : `for ${duration(s)}`;
}

export function ago(at: string | null, now: number): string {
	const s = (now - Date.parse(at ?? "")) / 1000;
	if (Number.isNaN(s)) return "";
	return s < 10 ? "just now" : `${duration(s)} ago`;
}

export function ahead(at: string | null, now: number): string {
	const s = (Date.parse(at ?? "") - now) / 1000;
	if (Number.isNaN(s)) return "";
	return s <= 0 ? "now" : `in ${duration(s)}`;
}

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const timeExact = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

// "today 14:05", "yesterday 23:10", "12 Nov 2025 14:05", in this computer's time zone.
export function moment(at: string | null, now: number): string {
	const date = new Date(at ?? NaN);
	if (Number.isNaN(date.getTime())) return "";
	const midnight = new Date(now).setHours(0, 0, 0, 0);
	const then = new Date(date).setHours(0, 0, 0, 0);
	const days = Math.round((midnight - then) / (DAY * 1000));
	if (days === 0) return `today ${time.format(date)}`;
	if (days === -1) return `tomorrow ${time.format(date)}`;
	if (days === 1) return `yesterday ${time.format(date)}`;
	return `${day.format(date)} ${time.format(date)}`;
}

export function clock(at: number): string {
	return timeExact.format(at);
}

// "under 0.1 ms", "1.2 ms", "340 ms", "2.4 s"
export function milliseconds(ms: number): string {
	if (ms < 0.1) return "under 0.1 ms";
	if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
	return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(n: number): string {
	let unit = 0;
	while (n >= 1024 && unit < UNITS.length - 1) {
		n /= 1024;
		unit++;
	}
	return `${n >= 100 || unit === 0 ? Math.round(n) : n.toFixed(1)} ${UNITS[unit]}`;
}

// "Debian GNU/Linux 12 (bookworm)" -> "Debian 12", where room is short.
export function shortSystem(name: string): string {
	return name.replace(" GNU/Linux", "").replace(/\s*\(.*\)$/, "");
}

const grouped = new Intl.NumberFormat("en-GB");

export function number(n: number): string {
	return grouped.format(n);
}

export function plural(n: number, one: string, many = `${one}s`): string {
	return `${number(n)} ${n === 1 ? one : many}`;
}
