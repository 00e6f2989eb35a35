/*
 * The happy path: `systemctl reboot` where systemd is process 1, else reboot(8), run to its end.
 *
 * Failure modes: neither program is there, it cannot be started, it says no (its exit code and its
 * words are told), it does not end in time (it is killed; the system may still go down).
 */
#include "os/boot.h"

#include "base/file.h"
#include "os/child.h"

#include <stdio.h>
#include <string.h>

#define REBOOT_MS      30000
#define MAX_ID_BYTES   64
#define MAX_STAT_BYTES 4096
#define MAX_SAID_BYTES 4096
#define START_FIELD    22 /* of proc(5), /proc/PID/stat */

static void add_kernel_id(const char *root, struct buf *text)
{
	cleanup(free_ptr) char *below = file_under(root, "/proc/sys/kernel/random/boot_id");
	cleanup(buf_free) struct buf id = {0};
	const char *path = file_exists(below) ? below : "/proc/sys/kernel/random/boot_id";
	if (file_read(path, MAX_ID_BYTES, &id, NULL) == 0)
		buf_append(text, id.data, strcspn(buf_text(&id), "\n"));
}

/* The second field is a name in brackets that may hold anything, so counting begins behind it. */
static void add_first_process(struct buf *text)
{
	cleanup(buf_free) struct buf stat = {0};
	if (file_read("/proc/1/stat", MAX_STAT_BYTES, &stat, NULL))
		return;
	const char *at = strrchr(buf_text(&stat), ')');
	for (int field = 2; at && field < START_FIELD; field++)
		if ((at = strchr(at, ' ')))
			at++;
	if (at)
		buf_printf(text, ":%.*s", (int)strcspn(at, " \n"), at);
}

void boot_id(const char *root, char id[BOOT_ID_SIZE])
{
	cleanup(buf_free) struct buf text = {0};
	add_kernel_id(root, &text);
	add_first_process(&text);
	snprintf(id, BOOT_ID_SIZE, "%s", buf_text(&text));
}

static int ask(const char *const argv[], const struct cancel *cancel, struct err *err)
{
	cleanup(buf_free) struct buf said = {.max = MAX_SAID_BYTES};
	int code = child_run(argv, deadline_in_ms(REBOOT_MS), cancel, &said, err);
	if (code <= 0)
		return code;
	return err_set(err, "%s ended with code %d%s%.*s", argv[0], code, said.len ? ": " : "",
		(int)strcspn(buf_text(&said), "\n"), buf_text(&said));
}

int boot_again(const char *program, const struct cancel *cancel, struct err *err)
{
	if (program)
		return ask((const char *const[]){program, NULL}, cancel, err);
	cleanup(free_ptr) char *systemctl =
		file_exists("/run/systemd/system") ? child_find("systemctl") : NULL;
	if (systemctl)
		return ask((const char *const[]){systemctl, "reboot", NULL}, cancel, err);
	cleanup(free_ptr) char *reboot = child_find("reboot");
	if (reboot)
		return ask((const char *const[]){reboot, NULL}, cancel, err);
	return err_set(err, "this machine has neither systemctl nor reboot");
}
