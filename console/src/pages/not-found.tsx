import { Empty, useTitle } from "../parts/basics";

export function NotFound() {
	useTitle("Not found");
	return (
		<main class="page" id="main">
			<Empty title="There is no such page">
				<p>The address may be mistyped, or from another release.</p>
				<p>
					<a class="button" href="#/">
						Go to the servers
					</a>
				</p>
			</Empty>
		</main>
	);
}
