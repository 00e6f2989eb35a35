import { useEffect, useState } from "preact/hooks";
import { hubNow } from "./api";

// The hub's time, refreshed every five seconds, so that "for 12 minutes" stays true.
export function useNow(): number {
	const [now, setNow] = useState(hubNow);
	useEffect(() => {
		const timer = setInterval(() => {
			if (!document.hidden) setNow(hubNow());
		}, 5000);
		const shown = () => setNow(hubNow());
		document.addEventListener("visibilitychange", shown);
		return () => {
			clearInterval(timer);
			document.removeEventListener("visibilitychange", shown);
		};
	}, []);
	return now;
}
