/* Certificates in words, and the products whose work is to make them on the way. */
#include "dial/chain.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#define MAX_NAMES 16 /* subject alternative names shown */

const char *certificate_name(const X509_NAME *name, char text[CERTIFICATE_NAME_SIZE])
{
	BIO *bio = BIO_new(BIO_s_mem());
	const unsigned long form = XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ;
	X509_NAME_print_ex(bio, name, 0, form);
	int len = BIO_read(bio, text, CERTIFICATE_NAME_SIZE - 1);
	text[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
	return text;
}

time_t certificate_time(const ASN1_TIME *time)
{
	struct tm tm;
	return ASN1_TIME_to_tm(time, &tm) ? timegm(&tm) : 0;
}

/* An inspecting proxy puts its maker's name, or its own, into the CA that it makes at set-up. */
static const struct {
	const char *word; /* in the common name, organisation or unit, in any letter case */
	const char *product;
} inspectors[] = {
	{"zscaler", "Zscaler"},
	{"fortinet", "Fortinet FortiGate"},
	{"fortigate", "Fortinet FortiGate"},
	{"palo alto networks", "Palo Alto Networks"},
	{"blue coat", "Blue Coat ProxySG"},
	{"bluecoat", "Blue Coat ProxySG"},
	{"proxysg", "Blue Coat ProxySG"},
	{"sophos", "Sophos"},
	{"check point", "Check Point"},
	{"checkpoint", "Check Point"},
	{"forcepoint", "Forcepoint"},
	{"websense", "Forcepoint"},
	{"mcafee web gateway", "Skyhigh Web Gateway"},
	{"skyhigh", "Skyhigh Web Gateway"},
	{"netskope", "Netskope"},
	{"goskope", "Netskope"},
	{"cisco umbrella", "Cisco Umbrella"},
	{"opendns", "Cisco Umbrella"},
	{"ironport", "Cisco Secure Web Appliance"},
	{"barracuda", "Barracuda"},
	{"sonicwall", "SonicWall"},
	{"watchguard", "WatchGuard"},
	{"untangle", "Arista Untangle"},
	{"smoothwall", "Smoothwall"},
	{"lightspeed", "Lightspeed"},
	{"securly", "Securly"},
	{"contentkeeper", "ContentKeeper"},
	{"iboss", "iboss"},
	{"cato networks", "Cato Networks"},
	{"menlo security", "Menlo Security"},
	{"trend micro", "Trend Micro"},
	{"kaspersky", "Kaspersky"},
	{"eset ssl filter", "ESET"},
	{"avast", "Avast"},
	{"bitdefender", "Bitdefender"},
	{"adguard", "AdGuard"},
	{"squid", "Squid"},
	{"mitmproxy", "mitmproxy"},
	{"portswigger", "Burp Suite"},
	{"charles proxy", "Charles"},
	{"fiddler", "Fiddler"},
	{"e2guardian", "e2guardian"},
	{"pfsense", "pfSense"},
	{"opnsense", "OPNsense"},
	{"ssl inspection", "an inspecting proxy"},
	{"tls inspection", "an inspecting proxy"},
	{"https inspection", "an inspecting proxy"},
	{"ssl decryption", "an inspecting proxy"},
	{"tls decryption", "an inspecting proxy"},
	{"untrusted forward", "an inspecting proxy"},
	{"forward trust", "an inspecting proxy"},
};

const char *certificate_inspector(const X509_NAME *name)
{
	char text[CERTIFICATE_NAME_SIZE];
	certificate_name(name, text);
	for (size_t i = 0; i < ARRAY_LEN(inspectors); i++)
		if (strcasestr(text, inspectors[i].word))
			return inspectors[i].product;
	return NULL;
}

bool certificate_same_organisation(const X509_NAME *a, const X509_NAME *b)
{
	char one[128], two[128];
	return X509_NAME_get_text_by_NID((X509_NAME *)a, NID_organizationName, one, sizeof one) > 0 &&
		   X509_NAME_get_text_by_NID((X509_NAME *)b, NID_organizationName, two, sizeof two) > 0 &&
		   strcasecmp(one, two) == 0;
}

static void describe_names(X509 *leaf, struct evidence *evidence)
{
	struct buf out = {0};
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	int count = names ? sk_GENERAL_NAME_num(names) : 0;
	for (int i = 0; i < count && i < MAX_NAMES; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const char *separator = out.len ? ", " : "";
		if (name->type == GEN_DNS)
			buf_printf(&out, "%s%.*s", separator, ASN1_STRING_length(name->d.dNSName),
				(const char *)ASN1_STRING_get0_data(name->d.dNSName));
		else if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
			const unsigned char *ip = ASN1_STRING_get0_data(name->d.iPAddress);
			buf_printf(&out, "%s%u.%u.%u.%u", separator, ip[0], ip[1], ip[2], ip[3]);
		}
	}
	if (count > MAX_NAMES)
		buf_printf(&out, " and %d more", count - MAX_NAMES);
	evidence_add(evidence, "names", "%s", out.len ? out.data : "none");
	buf_free(&out);
	GENERAL_NAMES_free(names);
}

static void describe_chain(STACK_OF(X509) * sent, struct evidence *evidence)
{
	struct buf out = {0};
	char name[CERTIFICATE_NAME_SIZE];
	int count = sk_X509_num(sent);
	for (int i = 0; i < count; i++) {
		X509 *certificate = sk_X509_value(sent, i);
		certificate_name(X509_get_subject_name(certificate), name);
		buf_printf(&out, "%s%s", i ? " < " : "", name);
		if (i == count - 1 && !X509_self_signed(certificate, 0))
			buf_printf(&out, " < %s", certificate_name(X509_get_issuer_name(certificate), name));
	}
	evidence_add(evidence, "chain", "%s", buf_text(&out));
	buf_free(&out);
}

void certificate_describe(X509 *leaf, STACK_OF(X509) * sent, struct evidence *evidence)
{
	char name[CERTIFICATE_NAME_SIZE], when[CLOCK_TEXT_SIZE];
	unsigned char hash[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned len = 0;
	evidence_add(evidence, "subject", "%s", certificate_name(X509_get_subject_name(leaf), name));
	evidence_add(evidence, "issuer", "%s", certificate_name(X509_get_issuer_name(leaf), name));
	evidence_add(evidence, "not-before", "%s",
		clock_rfc3339(certificate_time(X509_get0_notBefore(leaf)), when));
	evidence_add(evidence, "not-after", "%s",
		clock_rfc3339(certificate_time(X509_get0_notAfter(leaf)), when));
	evidence_add(evidence, "scts", "%d", certificate_scts(leaf));
	describe_names(leaf, evidence);
	describe_chain(sent, evidence);
	if (X509_digest(leaf, EVP_sha256(), hash, &len))
		for (unsigned i = 0; i < len; i++)
			snprintf(hex + 2 * (size_t)i, 3, "%02x", hash[i]);
	evidence_add(evidence, "fingerprint", "sha256/%s", hex);
}
