/*
 * The private CA and the server's certificate, by OpenSSL.
 *
 * Happy path: both are there, the certificate fits the names and lasts: nothing is written. A file
 * that is missing is made; one that cannot be used is an error that names it, but for the server's
 * certificate, which costs nothing to make again.
 */
#include "hub/keys.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define MAX_PEM     65536
#define DAY_S       86400L
#define CA_DAYS     3650
#define SERVER_DAYS 825
#define RENEW_DAYS  30    /* made again when it has less left */
#define SKEW_S      DAY_S /* valid from a day ago, for clocks that lag */

struct pair {
	EVP_PKEY *key;
	X509 *certificate;
};

static void pair_free(struct pair *pair)
{
	EVP_PKEY_free(pair->key);
	X509_free(pair->certificate);
	*pair = (struct pair){0};
}

static int ssl_failed(struct err *err, const char *what)
{
	char text[256];
	ERR_error_string_n(ERR_get_error(), text, sizeof text);
	ERR_clear_error();
	return err_set(err, "%s: %s", what, text);
}

/* --- PEM files ----------------------------------------------------------------------------- */

static BIO *open_pem(const char *path, struct buf *text, struct err *err)
{
	if (file_read(path, MAX_PEM, text, err))
		return NULL;
	return BIO_new_mem_buf(buf_text(text), (int)text->len);
}

static void wipe(struct buf *text)
{
	if (text->data)
		OPENSSL_cleanse(text->data, text->cap);
	buf_free(text);
}

/* Reads both files. errno is ENOENT when one of them is not there. */
static int pair_read(
	const char *chain_file, const char *key_file, struct pair *pair, struct err *err)
{
	cleanup(wipe) struct buf key_text = {0};
	cleanup(wipe) struct buf chain_text = {0};
	BIO *bio = open_pem(chain_file, &chain_text, err);
	if (!bio)
		return -1;
	pair->certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	errno = 0;
	if (!pair->certificate)
		return ssl_failed(err, chain_file);
	bio = open_pem(key_file, &key_text, err);
	if (!bio)
		return -1;
	pair->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	BIO_free(bio);
	errno = 0;
	if (!pair->key)
		return ssl_failed(err, key_file);
	if (X509_check_private_key(pair->certificate, pair->key) != 1) {
		ERR_clear_error();
		return err_set(
			err, "%s does not hold the key of the certificate in %s", key_file, chain_file);
	}
	return 0;
}

static int write_bio(const char *path, BIO *bio, struct err *err)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	return file_replace(path, data, (size_t)len, 0600, err);
}

/* The key goes first: a certificate without its key would be of no use. */
static int pair_write(const char *chain_file, const char *key_file, const struct pair *pair,
	const X509 *issuer, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int bad = PEM_write_bio_PrivateKey(bio, pair->key, NULL, NULL, 0, NULL, NULL) != 1 ||
			  write_bio(key_file, bio, err);
	BIO_free(bio);
	bio = BIO_new(BIO_s_mem());
	bad = bad || PEM_write_bio_X509(bio, pair->certificate) != 1 ||
		  (issuer && PEM_write_bio_X509(bio, (X509 *)issuer) != 1) ||
		  write_bio(chain_file, bio, err);
	BIO_free(bio);
	return bad ? -1 : 0;
}

/* --- making -------------------------------------------------------------------------------- */

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (!extension)
		abort(); /* the values are ours */
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static void set_serial(X509 *certificate)
{
	unsigned char raw[16];
	if (RAND_bytes(raw, sizeof raw) != 1)
		abort();
	raw[0] = (raw[0] & 0x7f) | 0x40; /* positive, and always of one length */
	BIGNUM *number = BN_bin2bn(raw, sizeof raw, NULL);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
}

static void begin_certificate(struct pair *pair, const char *common_name, long days)
{
	X509 *certificate = pair->certificate = X509_new();
	pair->key = EVP_EC_gen("P-256");
	if (!certificate || !pair->key)
		abort();
	X509_set_version(certificate, X509_VERSION_3);
	set_serial(certificate);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -SKEW_S);
	X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, NULL);
	X509_set_pubkey(certificate, pair->key);
	/* A common name holds 64 characters at most; names that count are in subjectAltName. */
	cleanup(free_ptr) char *cut = xstrndup(common_name, 64);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
		(const unsigned char *)cut, -1, -1, 0);
}

static int make_ca(struct pair *ca, struct err *err)
{
	char name[64];
	unsigned char tag[4];
	if (RAND_bytes(tag, sizeof tag) != 1)
		abort();
	/* A tag of its own: a browser that met another hub's CA must not mix them up. */
	snprintf(
		name, sizeof name, "Sallyport private CA %02x%02x%02x%02x", tag[0], tag[1], tag[2], tag[3]);
	begin_certificate(ca, name, CA_DAYS);
	X509_set_issuer_name(ca->certificate, X509_get_subject_name(ca->certificate));
	add_extension(
		ca->certificate, ca->certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	add_extension(ca->certificate, ca->certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(ca->certificate, ca->certificate, NID_subject_key_identifier, "hash");
	return X509_sign(ca->certificate, ca->key, EVP_sha256()) ? 0 : ssl_failed(err, "private CA");
}

static bool is_address(const char *name)
{
	unsigned char raw[16];
	return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

static int make_server(
	struct pair *server, const struct pair *ca, const struct keys_names *names, struct err *err)
{
	struct buf list = {0};
	begin_certificate(server, names->names[0], SERVER_DAYS);
	X509_set_issuer_name(server->certificate, X509_get_subject_name(ca->certificate));
	for (size_t i = 0; i < names->count; i++)
		buf_printf(&list, "%s%s:%s", i ? "," : "", is_address(names->names[i]) ? "IP" : "DNS",
			names->names[i]);
	add_extension(server->certificate, ca->certificate, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(server->certificate, ca->certificate, NID_key_usage, "critical,digitalSignature");
	add_extension(server->certificate, ca->certificate, NID_ext_key_usage, "serverAuth");
	add_extension(server->certificate, ca->certificate, NID_subject_key_identifier, "hash");
	add_extension(server->certificate, ca->certificate, NID_authority_key_identifier, "keyid");
	add_extension(server->certificate, ca->certificate, NID_subject_alt_name, buf_text(&list));
	buf_free(&list);
	return X509_sign(server->certificate, ca->key, EVP_sha256())
			   ? 0
			   : ssl_failed(err, "server certificate");
}

/* --- deciding ------------------------------------------------------------------------------ */

static bool lasts(const X509 *certificate, long days)
{
	time_t then = time(NULL) + days * DAY_S;
	return X509_cmp_time(X509_get0_notAfter(certificate), &then) > 0;
}

static bool names_fit(X509 *certificate, const struct keys_names *names)
{
	GENERAL_NAMES *have = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool fit = have && sk_GENERAL_NAME_num(have) == (int)names->count;
	GENERAL_NAMES_free(have);
	for (size_t i = 0; fit && i < names->count; i++)
		fit = is_address(names->names[i]) ? X509_check_ip_asc(certificate, names->names[i], 0) == 1
										  : X509_check_host(certificate, names->names[i], 0,
												X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
	return fit;
}

static int get_ca(const char *dir, struct pair *ca, struct err *err)
{
	cleanup(free_ptr) char *chain = xasprintf("%s/ca.pem", dir);
	cleanup(free_ptr) char *key = xasprintf("%s/ca.key", dir);
	if (!pair_read(chain, key, ca, err))
		return 0;
	/* A key without its certificate is what a crash in between leaves; nobody has seen it yet. A
	 * certificate without its key is a loss that a person has to know of. */
	if (errno != ENOENT || file_exists(chain))
		return err_prefix(err, "the private CA cannot be used; restore it from a backup");
	pair_free(ca);
	return make_ca(ca, err) || pair_write(chain, key, ca, NULL, err) ? -1 : 0;
}

static int get_server(const char *chain, const char *key, const struct pair *ca,
	const struct keys_names *names, struct err *err)
{
	struct pair server = {0};
	bool good = pair_read(chain, key, &server, err) == 0 && lasts(server.certificate, RENEW_DAYS) &&
				X509_verify(server.certificate, ca->key) == 1 &&
				names_fit(server.certificate, names);
	ERR_clear_error();
	int bad = 0;
	if (!good) {
		pair_free(&server);
		bad = make_server(&server, ca, names, err) ||
			  pair_write(chain, key, &server, ca->certificate, err);
	}
	pair_free(&server);
	return bad ? -1 : 0;
}

static char *certificate_pem(X509 *certificate)
{
	char *data = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, certificate);
	long len = BIO_get_mem_data(bio, &data);
	char *text = xstrndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

int keys_certificate(const char *dir, const struct keys_names *names,
	struct keys_certificate *certificate, struct err *err)
{
	struct pair ca = {0};
	*certificate = (struct keys_certificate){
		.chain_file = xasprintf("%s/server.pem", dir),
		.key_file = xasprintf("%s/server.key", dir),
	};
	int bad = get_ca(dir, &ca, err) ||
			  get_server(certificate->chain_file, certificate->key_file, &ca, names, err);
	if (!bad)
		certificate->ca_pem = certificate_pem(ca.certificate);
	else
		keys_certificate_free(certificate);
	pair_free(&ca);
	return bad ? -1 : 0;
}

int keys_certificate_given(const char *chain_file, const char *key_file,
	struct keys_certificate *certificate, struct err *err)
{
	struct pair pair = {0};
	*certificate = (struct keys_certificate){0};
	int bad = pair_read(chain_file, key_file, &pair, err);
	if (!bad && !lasts(pair.certificate, 0))
		bad = err_set(err, "%s: the certificate has expired; renew it", chain_file);
	pair_free(&pair);
	if (bad)
		return -1;
	certificate->chain_file = xstrdup(chain_file);
	certificate->key_file = xstrdup(key_file);
	return 0;
}

void keys_certificate_free(struct keys_certificate *certificate)
{
	free(certificate->chain_file);
	free(certificate->key_file);
	free(certificate->ca_pem);
	*certificate = (struct keys_certificate){0};
}
