/*
 * The bundle of CAs is read once for many walks side by side, and what cannot be read is none.
 */
#include "base/file.h"
#include "base/mem.h"
#include "dial/trust.h"
#include "lib/certs.h"
#include "temporary_root.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define WALKS 8

static char folder[ROOT_SIZE], bundle[64];

static int make_bundle(void **state)
{
	struct cert root;
	(void)state;
	assert_int_equal(root_make(folder), 0);
	snprintf(bundle, sizeof bundle, "%s/bundle.pem", folder);
	cert_make(&root, &(struct cert_spec){.cn = "Root", .ca = true});
	cleanup(free_ptr) char *pem = cert_pem(&root);
	cert_free(&root);
	return file_replace(bundle, pem, strlen(pem), 0600, NULL);
}

static int remove_bundle(void **state)
{
	(void)state;
	return root_remove(folder);
}

static int count(X509_STORE *store)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
	return sk_X509_OBJECT_num(objects);
}

static void *ask(void *trust)
{
	return trust_store(trust);
}

static void test_one_store_for_all(void **state)
{
	pthread_t threads[WALKS];
	void *stores[WALKS];
	struct trust *trust = trust_open(bundle, NULL);
	(void)state;
	for (int i = 0; i < WALKS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, trust), 0);
	for (int i = 0; i < WALKS; i++)
		pthread_join(threads[i], &stores[i]);
	trust_close(trust); /* who holds a store keeps it */
	for (int i = 0; i < WALKS; i++) {
		assert_non_null(stores[i]);
		assert_ptr_equal(stores[i], stores[0]);
		assert_int_equal(count(stores[i]), 1);
	}
	for (int i = 0; i < WALKS; i++)
		X509_STORE_free(stores[i]);
}

static void test_nothing_to_read(void **state)
{
	char missing[80], empty[80];
	(void)state;
	snprintf(missing, sizeof missing, "%s/missing.pem", folder);
	snprintf(empty, sizeof empty, "%s/empty.pem", folder);
	assert_int_equal(file_replace(empty, "no certificate\n", 15, 0600, NULL), 0);
	const char *const paths[] = {NULL, missing, empty};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct trust *trust = trust_open(paths[i], NULL);
		assert_null(trust_store(trust));
		trust_close(trust);
		assert_null(trust_load(paths[i]));
	}
	trust_close(NULL);
}

/* The folder with a file for each certificate that came with the system. */
static void test_what_came_with_the_system(void **state)
{
	struct cert came, added;
	char roots[64], path[80], missing[80];
	(void)state;
	snprintf(roots, sizeof roots, "%s/roots", folder);
	snprintf(path, sizeof path, "%s/one.crt", roots);
	snprintf(missing, sizeof missing, "%s/none", folder);
	assert_int_equal(mkdir(roots, 0700), 0);
	cert_make(&came, &(struct cert_spec){.cn = "Root", .ca = true});
	cert_make(&added, &(struct cert_spec){.cn = "Root", .ca = true});
	cleanup(free_ptr) char *pem = cert_pem(&came);
	struct trust *unknown = trust_open(bundle, missing);
	assert_true(trust_is_in(roots, added.x509)); /* an empty one tells nothing */
	assert_true(trust_is_public(unknown, added.x509));
	assert_int_equal(file_replace(path, pem, strlen(pem), 0600, NULL), 0);
	struct trust *trust = trust_open(bundle, roots);
	assert_true(trust_is_public(trust, came.x509));
	assert_false(trust_is_public(trust, added.x509));
	assert_true(trust_is_in(roots, came.x509));
	assert_false(trust_is_in(roots, added.x509));
	assert_true(trust_is_in(NULL, added.x509));
	trust_close(trust);
	trust_close(unknown);
	cert_free(&came);
	cert_free(&added);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_store_for_all),
		cmocka_unit_test(test_nothing_to_read),
		cmocka_unit_test(test_what_came_with_the_system),
	};
	return cmocka_run_group_tests(tests, make_bundle, remove_bundle);
}
