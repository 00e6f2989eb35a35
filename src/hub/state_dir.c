#include "hub/state_dir.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int state_dir_lock(const char *dir, struct err *err)
{
	cleanup(free_ptr) char *path = xasprintf("%s/lock", dir);
	if (file_make_dirs(dir, 0700, err))
		return -1;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return err_set(err,
			"%s: another hub runs with this state already; stop it first (systemctl stop "
			"sallyport-hub)",
			dir);
	}
	return fd;
}

int state_dir_check(const char *dir, struct err *err)
{
	cleanup(free_ptr) char *mark = xasprintf("%s/" STATE_DIR_RESTORING, dir);
	if (!file_exists(mark))
		return 0;
	return err_set(err,
		"%s: a restore was cut short here; run it again: sallyport-hub restore FILE (what was "
		"there before is in its folder before-restore-...)",
		dir);
}
