// Below a row that is not well: why, and what to do about it. Its height is known before it is drawn.

import { linesOf } from "../measure";
import { Prose } from "./basics";
import type { Layout } from "./virtual";

const TO_DO = "To do:";

// In rem, as in the style sheets: a row, and below it lines of text that leave `beside` free.
export interface WhyMeasures {
	row: number;
	line: number;
	pad: number;
	beside: number;
	font: number;
	lines: number; // at most, of each text
}

interface WhyProps {
	reason: string;
	remedy: string; // empty: none is known
}

export function whyHeight({ reason, remedy }: WhyProps, layout: Layout, measures: WhyMeasures): number {
	const { rem, width, family } = layout;
	const { row, line, pad, beside, font, lines } = measures;
	if (!reason) return row * rem;
	const linesIn = (text: string) =>
		linesOf(text.replaceAll("`", ""), `${font * rem}px ${family}`, width - beside * rem, lines);
	const below = linesIn(reason) + (remedy ? linesIn(`${TO_DO} ${remedy}`) : 0);
	return (row + below * line + pad) * rem;
}

export function Why({ reason, remedy }: WhyProps) {
	return (
		<div role="cell" class="row-why">
			<p class="row-reason" title={reason}>
				<Prose text={reason} />
			</p>
			{remedy && (
				<p class="row-remedy" title={remedy}>
					<span class="row-do">{TO_DO}</span> <Prose text={remedy} />
				</p>
			)}
		</div>
	);
}
