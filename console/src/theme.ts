// Dark or light: the system's choice unless the reader made one. That choice is the only thing the
// console stores in the browser.

export type Theme = "system" | "light" | "dark";

const KEY = "theme";

export function theme(): Theme {
	try {
		const stored = localStorage.getItem(KEY);
		return stored === "light" || stored === "dark" ? stored : "system";
	} catch {
		return "system";
	}
}

export function applyTheme(choice: Theme): void {
	if (choice === "system") delete document.documentElement.dataset["theme"];
	else document.documentElement.dataset["theme"] = choice;
}

export function chooseTheme(choice: Theme): void {
	applyTheme(choice);
	try {
		if (choice === "system") localStorage.removeItem(KEY);
		else localStorage.setItem(KEY, choice);
	} catch {
		// a browser that stores nothing: the choice lasts until the page is left
	}
}
