/*
 * Happy path: the thread reads file and folder; who asks meanwhile waits for the lock that it
 * holds. Without a thread they are read by who asks first. Of the folder a hash of each certificate
 * is kept: to take a hundred and forty of them apart would cost more than the rest of a walk.
 *
 * Failure modes: a file that is missing or holds no certificate gives no store, and the verdict on
 * a chain says so; a folder like that is no ground for a verdict.
 */
#include "dial/trust.h"

#include "base/mem.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define STACK_BYTES ((size_t)256 * 1024)
#define ROOTS_MAX   2000

struct hash {
	unsigned char bytes[crypto_hash_sha256_BYTES];
};

struct roots {
	struct hash *list; /* owned */
	size_t count;
};

struct trust {
	const char *bundle, *public_roots;
	pthread_t reader;
	bool threaded;
	pthread_mutex_t lock; /* of what follows */
	bool read;
	X509_STORE *store; /* owned; NULL: none */
	struct roots roots;
};

X509_STORE *trust_load(const char *bundle)
{
	X509_STORE *store = bundle ? X509_STORE_new() : NULL;
	if (store && !X509_STORE_load_file(store, bundle)) {
		X509_STORE_free(store);
		store = NULL;
	}
	ERR_clear_error();
	return store;
}

/* --- what came with the system ------------------------------------------------------------------
 */

static void add_file(struct roots *roots, const char *path)
{
	FILE *file = fopen(path, "re");
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	if (file && PEM_read(file, &name, &header, &data, &len) && strcmp(name, PEM_STRING_X509) == 0) {
		roots->list = xrealloc(roots->list, roots->count + 1, sizeof *roots->list);
		crypto_hash_sha256(roots->list[roots->count++].bytes, data, (size_t)len);
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	if (file)
		fclose(file);
}

static void read_folder(const char *folder, struct roots *roots)
{
	DIR *dir = folder ? opendir(folder) : NULL;
	if (!dir)
		return;
	for (struct dirent *entry; roots->count < ROOTS_MAX && (entry = readdir(dir));) {
		cleanup(free_ptr) char *path = xasprintf("%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			add_file(roots, path);
	}
	closedir(dir);
	ERR_clear_error();
}

static bool is_among(const struct roots *roots, X509 *root)
{
	struct hash hash;
	unsigned char *der = NULL;
	int len = i2d_X509(root, &der);
	bool found = !roots->count || len <= 0;
	if (len > 0)
		crypto_hash_sha256(hash.bytes, der, (size_t)len);
	OPENSSL_free(der);
	for (size_t i = 0; i < roots->count && !found; i++)
		found = memcmp(&roots->list[i], &hash, sizeof hash) == 0;
	return found;
}

bool trust_is_in(const char *public_roots, X509 *root)
{
	struct roots roots = {.count = 0};
	read_folder(public_roots, &roots);
	bool found = is_among(&roots, root);
	free(roots.list);
	return found;
}

/* --- once for all -------------------------------------------------------------------------------
 */

/* Holds the lock while it reads: whoever comes meanwhile waits there. */
static void *read_once(void *data)
{
	struct trust *trust = data;
	pthread_mutex_lock(&trust->lock);
	if (!trust->read) {
		trust->store = trust_load(trust->bundle);
		read_folder(trust->public_roots, &trust->roots);
	}
	trust->read = true;
	pthread_mutex_unlock(&trust->lock);
	return NULL;
}

struct trust *trust_open(const char *bundle, const char *public_roots)
{
	struct trust *trust = xcalloc(1, sizeof *trust);
	pthread_attr_t attributes;
	trust->bundle = bundle;
	trust->public_roots = public_roots;
	pthread_mutex_init(&trust->lock, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	trust->threaded = pthread_create(&trust->reader, &attributes, read_once, trust) == 0;
	pthread_attr_destroy(&attributes);
	return trust;
}

X509_STORE *trust_store(struct trust *trust)
{
	read_once(trust);
	if (trust->store)
		X509_STORE_up_ref(trust->store);
	return trust->store;
}

bool trust_is_public(struct trust *trust, X509 *root)
{
	read_once(trust);
	return is_among(&trust->roots, root);
}

void trust_close(struct trust *trust)
{
	if (!trust)
		return;
	if (trust->threaded)
		pthread_join(trust->reader, NULL);
	X509_STORE_free(trust->store);
	free(trust->roots.list);
	pthread_mutex_destroy(&trust->lock);
	free(trust);
}
