// A button that reads a text file into the page. Nothing is uploaded by it.

import { useRef } from "preact/hooks";

interface FileButtonProps {
	label: string;
	most: number; // bytes
	accept?: string;
	onText: (text: string) => void;
	onProblem: (words: string) => void; // empty: none any more
}

export function FileButton({ label, most, accept, onText, onProblem }: FileButtonProps) {
	const input = useRef<HTMLInputElement>(null);
	const read = async (file: File | undefined) => {
		if (!file) return;
		onProblem("");
		if (file.size > most) return onProblem(`${file.name} is longer than ${Math.floor(most / 1024)} KiB.`);
		const text = await file.text().catch(() => null);
		if (text === null) return onProblem(`${file.name} cannot be read.`);
		if (text.includes("\0")) return onProblem(`${file.name} is no text.`);
		onText(text);
	};
	return (
		<p class="file-button">
			<button type="button" class="button button-small" onClick={() => input.current?.click()}>
				{label}
			</button>
			<input
				ref={input}
				type="file"
				hidden
				aria-label={label}
				{...(accept ? { accept } : {})}
				onChange={(event) => {
					const [file] = event.currentTarget.files ?? [];
					void read(file);
					event.currentTarget.value = ""; // so that the same one can be chosen again
				}}
			/>
		</p>
	);
}
