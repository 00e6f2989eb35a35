#include "agent/inventory.h"

#include "base/json.h"
#include "os/os.h"

#include <sodium.h>
#include <string.h>

static void set_text(json_t *object, const char *key, const char *value)
{
	if (*value)
		json_object_set_new(object, key, json_string(value));
}

static void set_size(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void add_host(json_t *inventory)
{
	struct os_host host = {0};
	struct err err;
	if (os_host_read(&host, &err))
		return;
	set_text(inventory, "name", host.name);
	set_text(inventory, "machine_id", host.machine_id);
	set_text(inventory, "platform", host.platform);
	set_text(inventory, "os", host.os_id);
	set_text(inventory, "os_name", host.os_name);
	set_text(inventory, "os_version", host.os_version);
	set_text(inventory, "kernel", host.kernel);
	set_text(inventory, "arch", host.arch);
	set_size(inventory, "uptime_s", host.uptime_s);
	json_t *cpu = json_object();
	set_text(cpu, "model", host.cpu_model);
	json_object_set_new(cpu, "count", json_integer(host.cpu_count));
	json_object_set_new(inventory, "cpu", cpu);
	json_t *memory = json_object();
	set_size(memory, "total", host.memory_total);
	set_size(memory, "free", host.memory_free);
	json_object_set_new(inventory, "memory", memory);
}

static void add_interfaces(json_t *inventory, json_t *origins)
{
	size_t count = 0;
	struct err err;
	cleanup(free_ptr) struct os_interface *interfaces =
		xcalloc(OS_MAX_INTERFACES, sizeof *interfaces);
	json_t *list = json_array();
	if (os_interfaces_read(interfaces, &count, &err))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		if (interfaces[i].loopback)
			continue;
		json_t *row = json_object();
		set_text(row, "name", interfaces[i].name);
		set_text(row, "mac", interfaces[i].mac);
		set_text(row, "ipv4", interfaces[i].ipv4);
		set_text(row, "ipv6", interfaces[i].ipv6);
		json_t *origin = json_object_get(origins, interfaces[i].name);
		if (origin && *interfaces[i].ipv4)
			json_object_set(row, "origin", origin);
		json_object_set_new(row, "up", json_boolean(interfaces[i].up));
		json_array_append_new(list, row);
	}
	json_object_set_new(inventory, "interfaces", list);
}

static void add_disks(json_t *inventory)
{
	size_t count = 0;
	struct err err;
	cleanup(free_ptr) struct os_disk *disks = xcalloc(OS_MAX_DISKS, sizeof *disks);
	json_t *list = json_array();
	if (os_disks_read(disks, &count, &err))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		json_t *row = json_object();
		set_text(row, "mount", disks[i].mount);
		set_text(row, "type", disks[i].type);
		set_size(row, "size", disks[i].size);
		set_size(row, "free", disks[i].free);
		json_array_append_new(list, row);
	}
	json_object_set_new(inventory, "disks", list);
}

json_t *inventory_read(const struct inventory_source *source)
{
	json_t *inventory = json_object();
	json_object_set_new(inventory, "name", json_string("unknown"));
	json_object_set_new(inventory, "platform", json_string("linux"));
	json_object_set_new(inventory, "agent_version", json_string(SALLYPORT_VERSION));
	if (source->location)
		set_text(inventory, "location", source->location);
	if (source->profiles)
		json_object_set_new(inventory, "profiles", source->profiles(source->root));
	add_host(inventory);
	cleanup(json_drop) json_t *origins = source->origins ? source->origins(source->root) : NULL;
	add_interfaces(inventory, origins);
	add_disks(inventory);
	return inventory;
}

void inventory_digest(const json_t *inventory, unsigned char digest[INVENTORY_DIGEST_BYTES])
{
	cleanup(json_drop) json_t *steady = json_deep_copy(inventory);
	size_t i;
	json_t *disk;
	json_object_del(steady, "uptime_s");
	json_object_del(json_object_get(steady, "memory"), "free");
	json_array_foreach(json_object_get(steady, "disks"), i, disk) json_object_del(disk, "free");
	cleanup(free_ptr) char *text = json_dumps(steady, JSON_COMPACT | JSON_SORT_KEYS);
	crypto_generichash(digest, INVENTORY_DIGEST_BYTES, (const unsigned char *)(text ? text : ""),
		text ? strlen(text) : 0, NULL, 0);
}
