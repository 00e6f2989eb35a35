import { useEffect, useState } from "preact/hooks";
import { hubNow } from "./api";

// The hub's time, refreshed every five seconds, so that "for 12 minutes" stays true; or oftener, where
// seconds are counted.
export function useNow(everyMs = 5000): number {
	const [now, setNow] = useState(hubNow);
	useEffect(() => {
		const timer = setInterval(() => {
			if (!document.hidden) setNow(hubNow());
		}, everyMs);
		const shown = () => setNow(hubNow());
		document.addEventListener("visibilitychange", shown);
		return () => {
			clearInterval(timer);
			document.removeEventListener("visibilitychange", shown);
		};
	}, [everyMs]);
	return now;
}
