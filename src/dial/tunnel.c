/*
 * tunnel: the proxy's CONNECT (RFC 9110 section 9.3.6). Skipped without a proxy.
 *
 * Happy path: the proxy answers 2xx and the connection is the endpoint's from the next byte on.
 *
 * Failure modes: an answer that refuses (answer.c says why); something that is no HTTP; TLS where
 * none is spoken or the reverse; a certificate of an https:// proxy that does not verify; an end
 * without an answer; silence. None of them leads to a direct connection (row R23).
 */
#include "dial/chain.h"
#include "dial/transfer.h"

#include "os/os.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/x509_vfy.h>
#include <string.h>

static int fail_refused(struct walker *walker, struct transfer *transfer)
{
	struct proxy_answer *answer = &transfer->answer;
	if (answer->status >= 400 && answer->status != 407 && !answer->error)
		transfer_peek_body(transfer, walker->deadline, walker->options->cancel);
	answer_evidence(answer, walker->evidence);
	struct in_addr unused;
	bool by_name = inet_pton(AF_INET, walker->target->host, &unused) != 1;
	enum confidence confidence;
	enum cause cause = answer_cause(answer, walker->options->proxy->user, by_name, &confidence);
	return walker_fail(walker, cause, confidence);
}

static int fail_closed(struct walker *walker, struct transfer *transfer)
{
	if (transfer->answer.status_line)
		evidence_add(walker->evidence, "answer", "%s, and no more", transfer->answer.status_line);
	else
		evidence_add(walker->evidence, "answer",
			"it ends the connection without a word, as a port does that wants https://");
	return walker_fail(walker, CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_LIKELY);
}

static int fail_untrusted(struct walker *walker, struct transfer *transfer)
{
	long verify = X509_V_OK;
	const char *bundle = os_ca_bundle();
	char missing[CHAIN_PROBLEM_SIZE];
	if (chain_bundle_problem(bundle, missing)) {
		if (bundle)
			evidence_add(walker->evidence, "bundle", "%s", bundle);
		evidence_add(walker->evidence, "bundle-problem", "%s", missing);
		return walker_fail(walker, CAUSE_CA_BUNDLE_MISSING, CONFIDENCE_CERTAIN);
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &verify);
	evidence_add(walker->evidence, "problem", "%s",
		verify == X509_V_OK ? transfer->error : X509_verify_cert_error_string(verify));
	return walker_fail(walker, CAUSE_PROXY_CERT_UNTRUSTED, CONFIDENCE_CERTAIN);
}

static int fail_no_tls(struct walker *walker, struct transfer *transfer)
{
	/* OpenSSL's name for a first record that is none. */
	if (strstr(transfer->error, "wrong version number"))
		evidence_add(walker->evidence, "answer", "it speaks no TLS, so its scheme may be http://");
	else
		evidence_add(walker->evidence, "answer", "TLS to it fails: %s", transfer->error);
	return walker_fail(walker, CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_LIKELY);
}

static int fail_timeout(struct walker *walker, struct transfer *transfer)
{
	if (transfer->answer.status_line)
		evidence_add(walker->evidence, "answer", "%s, and no more", transfer->answer.status_line);
	return walker_wait_failed(walker, WAIT_TIMEOUT, CAUSE_PROXY_STALLED);
}

static int fail_cancelled(struct walker *walker, struct transfer *transfer)
{
	(void)transfer;
	return walker_wait_failed(walker, WAIT_CANCELLED, CAUSE_NONE);
}

static int (*const failures[])(struct walker *walker, struct transfer *transfer) = {
	[TRANSFER_REFUSED] = fail_refused,
	[TRANSFER_CLOSED] = fail_closed,
	[TRANSFER_UNTRUSTED] = fail_untrusted,
	[TRANSFER_NO_TLS] = fail_no_tls,
	[TRANSFER_TIMEOUT] = fail_timeout,
	[TRANSFER_CANCELLED] = fail_cancelled,
};

int tunnel_run(struct walker *walker)
{
	const struct proxy_settings *settings = walker->options->proxy;
	struct transfer *transfer = walker->transfer;
	evidence_add(walker->evidence, "auth", "%s", settings->user ? "basic" : "none");
	if (settings->user)
		evidence_add(walker->evidence, "user", "%s", settings->user);
	enum transfer_result result =
		transfer_tunnel(transfer, walker->deadline, walker->options->cancel);
	if (result != TRANSFER_OK)
		return failures[result](walker, transfer);
	answer_evidence(&transfer->answer, walker->evidence);
	transfer_finish(walker);
	return 0;
}
