#include "agent/paths.h"

#include "base/file.h"

#define STATE_DIR "/var/lib/sallyport"
#define LOG_DIR   "/var/log/sallyport"

void paths_init(struct agent_paths *paths, const char *root)
{
	*paths = (struct agent_paths){
		.state_dir = file_under(root, STATE_DIR),
		.identity = file_under(root, STATE_DIR "/identity.json"),
		.status = file_under(root, STATE_DIR "/status.json"),
		.endpoints = file_under(root, STATE_DIR "/endpoints.json"),
		.rhythm = file_under(root, STATE_DIR "/rhythm.json"),
		.check = file_under(root, STATE_DIR "/check.json"),
		.runs = file_under(root, STATE_DIR "/runs"),
		.scripts = file_under(root, "/run/sallyport"),
		.portable = file_under(root, STATE_DIR "/portable"),
		.lock = file_under(root, STATE_DIR "/agent.lock"),
		.log_dir = file_under(root, LOG_DIR),
		.log = file_under(root, LOG_DIR "/connector.log"),
	};
}

void paths_free(struct agent_paths *paths)
{
	free(paths->state_dir);
	free(paths->identity);
	free(paths->status);
	free(paths->endpoints);
	free(paths->rhythm);
	free(paths->check);
	free(paths->runs);
	free(paths->scripts);
	free(paths->portable);
	free(paths->lock);
	free(paths->log_dir);
	free(paths->log);
	*paths = (struct agent_paths){0};
}
