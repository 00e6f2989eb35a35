// A part of a page with a head of its own.

import type { ComponentChildren, Ref } from "preact";

export function Panel({
	title,
	note,
	children,
	headRef,
}: {
	title: string;
	note?: ComponentChildren;
	children: ComponentChildren;
	headRef?: Ref<HTMLHeadingElement>;
}) {
	const id = `panel-${title.toLowerCase().replaceAll(" ", "-")}`;
	return (
		<section class="panel" aria-labelledby={id}>
			<div class="panel-head">
				<h2 id={id} {...(headRef ? { ref: headRef, tabIndex: -1 } : {})}>
					{title}
				</h2>
				{note && <span class="quiet">{note}</span>}
			</div>
			{children}
		</section>
	);
}
