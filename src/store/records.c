#include "store/store.h"

#include <sodium.h>
#include <string.h>

void store_user_free(struct store_user *user)
{
	if (user->password)
		sodium_memzero(user->password, strlen(user->password));
	free(user->name);
	free(user->password);
	free(user->role);
	*user = (struct store_user){0};
}

void store_server_free(struct store_server *server)
{
	char *const texts[] = {server->name, server->platform, server->os_name, server->address,
		server->mac, server->location, server->version, server->cause, server->reason,
		server->addressing};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	*server = (struct store_server){0};
}

void store_details_free(struct store_details *details)
{
	free(details->inventory);
	free(details->path);
	free(details->check);
	*details = (struct store_details){0};
}

void store_page_free(struct store_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		store_server_free(&page->rows[i]);
	free(page->rows);
	free(page->next_cursor);
	*page = (struct store_page){0};
}

void store_check_free(struct store_check *check)
{
	char *const texts[] = {check->requested_by, check->profile, check->title, check->verdict,
		check->causes, check->outcome, check->reason, check->report};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	*check = (struct store_check){0};
}

void store_check_page_free(struct store_check_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		store_check_free(&page->rows[i]);
	free(page->rows);
	*page = (struct store_check_page){0};
}

void store_key_free(struct store_key *key)
{
	char *const texts[] = {key->name, key->permissions, key->location, key->maker, key->created_by};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	*key = (struct store_key){0};
}

void store_audit_page_free(struct store_audit_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		char *const texts[] = {page->rows[i].actor, page->rows[i].actor_kind, page->rows[i].action,
			page->rows[i].target, page->rows[i].detail, page->rows[i].peer};
		for (size_t at = 0; at < ARRAY_LEN(texts); at++)
			free(texts[at]);
	}
	free(page->rows);
	*page = (struct store_audit_page){0};
}
