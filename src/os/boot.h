/*
 * Which boot of the machine this is, and another one.
 *
 * A boot is named by the kernel's boot id and the start of process 1, because a container that is
 * started again keeps the boot id of its host. Below `root` (for tests, NULL for the real system)
 * proc/sys/kernel/random/boot_id is read when it is there.
 */
#ifndef OS_BOOT_H
#define OS_BOOT_H

#include "base/err.h"
#include "os/wait.h"

#define BOOT_ID_SIZE 80

/* Never fails: what cannot be read is left out of the name. */
void boot_id(const char *root, char id[BOOT_ID_SIZE]);

/* Asks the system to restart: systemd where it runs, reboot(8) elsewhere, or `program` instead,
 * which gets no argument. Returns once the request was taken; -1 with err when it was not. */
int boot_again(const char *program, const struct cancel *cancel, struct err *err);

#endif
