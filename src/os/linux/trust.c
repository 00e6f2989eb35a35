/*
 * Where distributions keep the CA certificates that their programs trust. SSL_CERT_FILE and its
 * like are not asked: a service would see another environment than the shell that ran `check`.
 */
#include "os/os.h"

#include "base/file.h"

static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo */
	"/etc/pki/tls/certs/ca-bundle.crt",                  /* RHEL, Fedora, Amazon Linux */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora from 42 on */
	"/etc/ssl/ca-bundle.pem",                            /* SUSE */
	"/etc/ssl/cert.pem",                                 /* Alpine */
};

/* Only what the distribution ships: an administrator's own CAs go elsewhere. */
static const char *const public_folders[] = {
	"/usr/share/ca-certificates/mozilla", /* Debian, Ubuntu, Alpine */
};

static const char *first_there(const char *const *paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (file_exists(paths[i]))
			return paths[i];
	return NULL;
}

const char *os_ca_bundle(void)
{
	return first_there(bundles, ARRAY_LEN(bundles));
}

const char *os_public_roots(void)
{
	return first_there(public_folders, ARRAY_LEN(public_folders));
}
