/*
 * portable_get() as a program, for the tests: `portable-fetch ROOT ARCH PATH SHA256 SIZE` prints
 * where the file is, or says why it is not to be had.
 */
#include "agent/installs/portable.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct agent_paths paths;
	struct agent_state state;
	struct err err = {"usage: portable-fetch ROOT ARCH PATH SHA256 SIZE"};
	char *file = NULL;
	if (argc != 6 || sodium_init() < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	paths_init(&paths, argv[1]);
	json_t *row = json_pack("{s:s,s:s,s:I}", "path", argv[3], "sha256", argv[4], "size",
		(json_int_t)strtoll(argv[5], NULL, 10));
	int rc = state_load(&paths, &state, &err) == STATE_LOADED ? 0 : -1;
	if (rc == 0) {
		const struct portable_source source = {
			.root = argv[1], .paths = &paths, .state = &state, .retry_ms = 100};
		rc = portable_get(&source, argv[2], row, &file, &err);
		state_wipe(&state);
	}
	if (rc)
		fprintf(stderr, "%s\n", err.text);
	else
		printf("%s\n", file);
	free(file);
	json_decref(row);
	paths_free(&paths);
	return rc ? 1 : 0;
}
