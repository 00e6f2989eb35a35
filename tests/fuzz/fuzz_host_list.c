/* A list of hosts as somebody pasted it; one that is accepted says the same when it is written
 * again as CSV. */
#include "base/buf.h"
#include "fuzz.h"
#include "wire/host_list.h"

static void put_field(struct buf *text, const char *field, char end)
{
	buf_puts(text, "\"");
	for (; *field; field++)
		buf_printf(text, "%s%c", *field == '"' ? "\"" : "", *field);
	buf_printf(text, "\"%c", end);
}

static void assert_again(const struct host_list *list)
{
	struct buf text = {0};
	struct host_list again;
	struct err err;
	buf_puts(&text, "host,port,user,name\n");
	for (size_t i = 0; i < list->count; i++) {
		const struct host_entry *host = &list->hosts[i];
		buf_printf(&text, strchr(host->host, ':') ? "[%s],%u," : "%s,%u,", host->host, host->port);
		put_field(&text, host->user, ',');
		put_field(&text, host->name, '\n');
	}
	if (text.len <= HOST_LIST_MAX_TEXT) {
		assert(host_list_read(buf_text(&text), 1, "nobody", &again, &err) == 0);
		assert(again.count == list->count);
		for (size_t i = 0; i < list->count; i++) {
			const struct host_entry *one = &list->hosts[i], *other = &again.hosts[i];
			assert(strcmp(one->host, other->host) == 0 && one->port == other->port);
			assert(strcmp(one->name, other->name) == 0);
			assert(strcmp(*one->user ? one->user : "nobody", other->user) == 0);
		}
		host_list_free(&again);
	}
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_list list;
	struct err err;
	char *text = fuzz_text(data, size);
	if (host_list_read(text, HOST_LIST_PORT, "", &list, &err) == 0) {
		assert(list.count && list.count <= HOST_LIST_MAX_HOSTS);
		for (size_t i = 0; i < list.count; i++)
			assert(host_list_find(&list, list.hosts[i].host, list.hosts[i].port) == &list.hosts[i]);
		assert_again(&list);
		host_list_free(&list);
	}
	free(text);
	return 0;
}
