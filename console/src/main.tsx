import { render } from "preact";
import { App } from "./app";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/servers.css";
import "./styles/server.css";
import "./styles/checks.css";
import { applyTheme, theme } from "./theme";

// Before the first paint, so that a chosen theme does not flash.
applyTheme(theme());

document.addEventListener("DOMContentLoaded", () => {
	const root = document.getElementById("app");
	if (root) render(<App />, root);
});
