/*
 * The file systems that hold data: those on a device, and the few kinds that are made of devices.
 *
 * Network file systems are left out: statvfs(3) on one whose server is gone never returns. A
 * device that is mounted in several places is told once, where it was mounted first.
 */
#include "os/os.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Without a device file of their own, or on one and still not somewhere to write. */
static const char *const deviceless[] = {"zfs", "btrfs", "bcachefs", "overlay"};
static const char *const read_only[] = {"squashfs", "iso9660", "erofs"};

static bool listed(const char *type, const char *const *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static bool holds_data(const struct mntent *mount)
{
	if (listed(mount->mnt_type, read_only, ARRAY_LEN(read_only)))
		return false;
	/* Every container has an overlay: only the one that this program lives on is its disk. */
	if (strcmp(mount->mnt_type, "overlay") == 0)
		return strcmp(mount->mnt_dir, "/") == 0;
	return strncmp(mount->mnt_fsname, "/dev/", 5) == 0 ||
		   listed(mount->mnt_type, deviceless, ARRAY_LEN(deviceless));
}

/* Remembers the device; true when it was there before, or when it cannot be asked. */
static bool seen(const char *path, dev_t *devices, size_t count)
{
	struct stat info;
	if (stat(path, &info))
		return true;
	for (size_t i = 0; i < count; i++)
		if (devices[i] == info.st_dev)
			return true;
	devices[count] = info.st_dev;
	return false;
}

int os_disks_read(struct os_disk *disks, size_t *count, struct err *err)
{
	*count = 0;
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return err_set(err, "/proc/self/mounts: %s", strerror(errno));
	dev_t devices[OS_MAX_DISKS];
	char strings[4096];
	struct mntent mount;
	while (*count < OS_MAX_DISKS && getmntent_r(mounts, &mount, strings, sizeof strings)) {
		struct statvfs space;
		struct os_disk *disk = &disks[*count];
		if (!holds_data(&mount) || strlen(mount.mnt_dir) >= sizeof disk->mount ||
			seen(mount.mnt_dir, devices, *count) || statvfs(mount.mnt_dir, &space) ||
			!space.f_blocks)
			continue;
		snprintf(disk->mount, sizeof disk->mount, "%s", mount.mnt_dir);
		snprintf(disk->type, sizeof disk->type, "%s", mount.mnt_type);
		disk->size = (uint64_t)space.f_blocks * space.f_frsize;
		disk->free = (uint64_t)space.f_bavail * space.f_frsize;
		(*count)++;
	}
	endmntent(mounts);
	return 0;
}
