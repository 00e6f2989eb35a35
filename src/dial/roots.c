/*
 * What this machine trusts, where that alone is no answer: a bundle without certificates, and a CA
 * that somebody added to it.
 */
#include "dial/chain.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/ct.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SCTS_ENOUGH 2 /* browsers want two, so every public CA sees to it */

static bool holds_certificate(FILE *file)
{
	static const char begin[] = "-----BEGIN ";
	char line[256];
	while (fgets(line, sizeof line, file))
		if (strncmp(line, begin, sizeof begin - 1) == 0 && strstr(line, "CERTIFICATE-----"))
			return true;
	return false;
}

bool chain_bundle_problem(const char *bundle, char problem[CHAIN_PROBLEM_SIZE])
{
	struct stat status;
	FILE *file = bundle ? fopen(bundle, "re") : NULL;
	int error = errno;
	problem[0] = '\0';
	if (!bundle || (!file && error == ENOENT))
		snprintf(problem, CHAIN_PROBLEM_SIZE, "is missing");
	else if (!file)
		snprintf(problem, CHAIN_PROBLEM_SIZE, "cannot be read (%s)", strerror(error));
	else if (!fstat(fileno(file), &status) && !status.st_size)
		snprintf(problem, CHAIN_PROBLEM_SIZE, "is empty");
	else if (!holds_certificate(file))
		snprintf(problem, CHAIN_PROBLEM_SIZE, "holds no certificate");
	if (file)
		fclose(file);
	return problem[0] != '\0';
}

int certificate_scts(X509 *certificate)
{
	STACK_OF(SCT) *list = X509_get_ext_d2i(certificate, NID_ct_precert_scts, NULL, NULL);
	int count = list ? sk_SCT_num(list) : 0;
	SCT_LIST_free(list);
	return count;
}

bool certificate_is_logged(X509 *certificate)
{
	return certificate_scts(certificate) >= SCTS_ENOUGH;
}

bool chain_roots_known(const char *folder)
{
	DIR *dir = folder ? opendir(folder) : NULL;
	bool any = false;
	if (!dir)
		return false;
	for (struct dirent *entry; !any && (entry = readdir(dir));)
		any = entry->d_name[0] != '.';
	closedir(dir);
	return any;
}
