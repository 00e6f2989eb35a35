/*
 * The table of routes and the OpenAPI document say the same; the tables of permissions and roles
 * are what the document lists. Proves S10, S11.
 */
#include "base/embed.h"
#include "base/json.h"
#include "hub/api/access.h"
#include "hub/api/route.h"
#include "hub/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern const struct embedded_file api_documents[];

static json_t *document;

static int set_up(void **state)
{
	struct err err = {0};
	(void)state;
	document = json_parse((const char *)api_documents[0].data, api_documents[0].size, &err);
	if (!document)
		print_error("%s\n", err.text);
	return document ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	json_drop(&document);
	return 0;
}

static const char *method_name(enum exchange_method method)
{
	static const char *const names[] = {
		[METHOD_GET] = "get",
		[METHOD_POST] = "post",
		[METHOD_DELETE] = "delete",
		[METHOD_PATCH] = "patch",
		[METHOD_HEAD] = "head",
	};
	return names[method];
}

/* Whether both stand for the same paths: what is in braces is a name only. */
static bool same_path(const char *a, const char *b)
{
	while (*a && *b) {
		if (*a == '{' && *b == '{') {
			a += strcspn(a, "}");
			b += strcspn(b, "}");
		}
		if (*a++ != *b++)
			return false;
	}
	return *a == *b;
}

/* The operation of a route, or NULL. */
static const json_t *operation_of(const struct route *route)
{
	const char *path;
	json_t *item;
	json_object_foreach(json_object_get(document, "paths"), path, item)
	{
		if (same_path(path, route->path))
			return json_object_get(item, method_name(route->method));
	}
	return NULL;
}

static bool has_json_body(const json_t *operation)
{
	const json_t *body = json_object_get(operation, "requestBody");
	return json_object_get(json_object_get(body, "content"), "application/json") != NULL;
}

static void every_route_is_described(void **state)
{
	int wrong = 0;
	(void)state;
	for (const struct route *route = routes; route->path; route++) {
		const json_t *operation = operation_of(route);
		const char *permission = json_get_text(operation, "x-permission");
		const char *summary = json_get_text(operation, "summary");
		if (!operation)
			print_error("%s %s: not in openapi.yaml\n", method_name(route->method), route->path);
		else if (!permission || strcmp(permission, permission_name(route->permission)) != 0)
			print_error("%s %s: x-permission is not %s\n", method_name(route->method), route->path,
				permission_name(route->permission));
		else if (!summary || strcmp(summary, route->summary) != 0)
			print_error("%s %s: the summary is not \"%s\"\n", method_name(route->method),
				route->path, route->summary);
		else if (route->json != has_json_body(operation))
			print_error("%s %s: one says that there is a body, one that there is none\n",
				method_name(route->method), route->path);
		else
			continue;
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static bool has_route(const char *method, const char *path)
{
	for (const struct route *route = routes; route->path; route++)
		if (same_path(path, route->path) && strcmp(method_name(route->method), method) == 0)
			return true;
	return false;
}

static void every_operation_has_its_route(void **state)
{
	const char *path, *method;
	json_t *item, *operation;
	int wrong = 0, count = 0;
	(void)state;
	json_object_foreach(json_object_get(document, "paths"), path, item)
	{
		json_object_foreach(item, method, operation)
		{
			if (strcmp(method, "parameters") == 0)
				continue;
			count++;
			if (has_route(method, path))
				continue;
			print_error("%s %s: no such route\n", method, path);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	assert_true(count > 40);
}

/* A path that two rows could serve would be served by the first one only. */
static void no_route_hides_another(void **state)
{
	(void)state;
	for (const struct route *route = routes; route->path; route++) {
		char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE];
		bool other = false;
		assert_ptr_equal(route_find(route->method, route->path, operands, &other), route);
	}
}

static bool lists(const char *schema, const char *name)
{
	const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
	const json_t *list = json_object_get(json_object_get(schemas, schema), "enum");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), name) == 0)
			return true;
	return false;
}

static void permissions_and_roles_are_described(void **state)
{
	(void)state;
	for (int i = 0; i < PERMISSION_COUNT; i++)
		assert_true(lists("Permission", permission_name((enum permission)i)));
	for (int i = 0; i < ROLE_COUNT; i++)
		assert_true(lists("Role", role_name((enum role)i)));
	assert_int_equal(role_permissions(ROLE_ADMINISTRATOR), (1u << PERMISSION_COUNT) - 1);
	/* Row S10: who manages users is an administrator and nobody else. */
	assert_int_equal(role_permissions(ROLE_ARCHITECT) & (MAY(USERS) | MAY(KEYS) | MAY(AUDIT)), 0);
	assert_int_equal(role_permissions(ROLE_OPERATOR), MAY(READ) | MAY(OPERATE) | MAY(ENROL));
}

static void permissions_are_read_and_written(void **state)
{
	char text[ACCESS_NAMES_SIZE];
	unsigned permissions = 0;
	(void)state;
	access_names((1u << PERMISSION_COUNT) - 1, text);
	assert_string_equal(text, "read,operate,enrol,remove,users,keys,audit");
	assert_int_equal(access_read_names(text, &permissions), 0);
	assert_int_equal(permissions, (1u << PERMISSION_COUNT) - 1);
	assert_int_equal(access_read_names("", &permissions), 0);
	assert_int_equal(permissions, 0);
	assert_int_equal(access_read_names("read,write", &permissions), -1);
	assert_int_equal(access_read_names("signed-in", &permissions), -1);
	assert_int_equal(access_read_names("read,,operate", &permissions), -1);
}

/* What concerns the whole hub is closed to a key that is limited to a location. */
static void wide_permissions_are_for_the_whole_hub(void **state)
{
	(void)state;
	for (const struct route *route = routes; route->path; route++) {
		if (route->permission < PERMISSION_COUNT && permission_wide(route->permission))
			assert_int_equal(route->scope, SCOPE_HUB);
		if (strncmp(route->path, "/v1/servers/{", 13) == 0)
			assert_int_equal(route->scope, SCOPE_SERVER);
	}
}

static void names_that_will_not_do(void **state)
{
	static const char *const bad[] = {"", " a", "a ", "a/b", "a\nb", "key:a", "\x7f",
		"12345678901234567890123456789012345678901234567890123456789012345"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_non_null(access_name_problem(bad[i]));
	assert_null(access_name_problem("Alice O'Neill"));
	assert_null(access_name_problem("key"));
}

static void an_actor_sees_its_location(void **state)
{
	struct actor anywhere = {.kind = ACTOR_USER}, there = {.location = (char *)"Hall 2"};
	(void)state;
	assert_true(actor_sees(&anywhere, "") && actor_sees(&anywhere, "hall 1"));
	assert_true(actor_sees(&there, "hall 2"));
	assert_false(actor_sees(&there, "") || actor_sees(&there, "hall"));
	assert_false(actor_may(&anywhere, PERMIT_READ));
	assert_true(actor_may(&anywhere, PERMIT_SIGNED_IN));
	assert_false(actor_may(&there, PERMIT_SIGNED_IN));
	assert_true(actor_may(&there, PERMIT_ANYONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_described),
		cmocka_unit_test(every_operation_has_its_route),
		cmocka_unit_test(no_route_hides_another),
		cmocka_unit_test(permissions_and_roles_are_described),
		cmocka_unit_test(permissions_are_read_and_written),
		cmocka_unit_test(wide_permissions_are_for_the_whole_hub),
		cmocka_unit_test(names_that_will_not_do),
		cmocka_unit_test(an_actor_sees_its_location),
	};
	return cmocka_run_group_tests_name("hub_api", tests, set_up, tear_down);
}
