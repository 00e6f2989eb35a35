/* Made by build.mjs from src/diagnosis/causes.def. */
declare module "sallyport:causes" {
	export const causes: Record<string, { who: string; remedy: string } | undefined>;
}
