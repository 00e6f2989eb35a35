/* Made by build.mjs from src/diagnosis/causes.def. */
declare module "sallyport:causes" {
	export const causes: Record<string, { stage: string; who: string; remedy: string } | undefined>;
}
