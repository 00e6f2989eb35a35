import { render } from "preact";
import { App } from "./app";
import "./styles/base.css";
import "./styles/bar.css";
import "./styles/forms.css";
import "./styles/parts.css";
import "./styles/tables.css";
import "./styles/servers.css";
import "./styles/server.css";
import "./styles/checks.css";
import "./styles/jobs.css";
import "./styles/compose.css";
import "./styles/support.css";
import "./styles/locations.css";
import "./styles/installs.css";
import { applyTheme, theme } from "./theme";

// Before the first paint, so that a chosen theme does not flash.
applyTheme(theme());

document.addEventListener("DOMContentLoaded", () => {
	const root = document.getElementById("app");
	if (root) render(<App />, root);
});
