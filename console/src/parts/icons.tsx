// Drawn here, so that nothing is fetched. All are decoration: the words beside them tell.

import type { ComponentChildren } from "preact";

function Icon({ children, size = 16 }: { children: ComponentChildren; size?: number }) {
	return (
		<svg
			class="icon"
			width={size}
			height={size}
			viewBox="0 0 16 16"
			fill="none"
			stroke="currentColor"
			stroke-width="1.5"
			stroke-linecap="round"
			stroke-linejoin="round"
			aria-hidden="true"
			focusable="false"
		>
			{children}
		</svg>
	);
}

export const Gate = () => (
	<svg class="gate" width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
		<path fill="currentColor" d="M3 22V9.5a9 9 0 0 1 18 0V22h-5V10a4 4 0 0 0-8 0v12z" />
	</svg>
);
export const Check = () => (
	<Icon>
		<path d="m3 8.5 3.2 3.2L13 4.8" />
	</Icon>
);
export const Cross = () => (
	<Icon>
		<path d="m4 4 8 8M12 4l-8 8" />
	</Icon>
);
export const Dash = () => (
	<Icon>
		<path d="M4 8h8" />
	</Icon>
);
export const Bang = () => (
	<Icon>
		<path d="M8 3v6M8 12.4v.1" />
	</Icon>
);
export const Question = () => (
	<Icon>
		<path d="M5.6 6a2.4 2.4 0 1 1 3.5 2.1c-.8.4-1.1.8-1.1 1.6M8 12.4v.1" />
	</Icon>
);
export const Search = () => (
	<Icon>
		<circle cx="7" cy="7" r="4" />
		<path d="m10 10 3.5 3.5" />
	</Icon>
);
export const Plus = () => (
	<Icon>
		<path d="M8 3v10M3 8h10" />
	</Icon>
);
export const Copy = () => (
	<Icon>
		<rect x="5.5" y="5.5" width="7.5" height="7.5" rx="1.5" />
		<path d="M10.5 3H4.5A1.5 1.5 0 0 0 3 4.5v6" />
	</Icon>
);
export const Back = () => (
	<Icon>
		<path d="M9.5 3.5 5 8l4.5 4.5" />
	</Icon>
);
export const Sun = () => (
	<Icon>
		<circle cx="8" cy="8" r="2.8" />
		<path d="M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9" />
	</Icon>
);
export const Moon = () => (
	<Icon>
		<path d="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />
	</Icon>
);
export const Half = () => (
	<Icon>
		<circle cx="8" cy="8" r="5.2" />
		<path d="M8 2.8v10.4A5.2 5.2 0 0 0 8 2.8z" fill="currentColor" stroke="none" />
	</Icon>
);
export const Machine = () => (
	<Icon size={20}>
		<rect x="2" y="2.5" width="12" height="4.5" rx="1" />
		<rect x="2" y="9" width="12" height="4.5" rx="1" />
		<path d="M4.5 4.8h.1M4.5 11.2h.1" />
	</Icon>
);
export const Relay = () => (
	<Icon size={20}>
		<rect x="2.5" y="4" width="11" height="8" rx="1" />
		<path d="M5 8h6M9 6l2 2-2 2" />
	</Icon>
);
export const Chevron = () => (
	<Icon>
		<path d="m6 4 4 4-4 4" />
	</Icon>
);
export const Menu = () => (
	<Icon>
		<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />
	</Icon>
);
