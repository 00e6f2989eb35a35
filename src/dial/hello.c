/*
 * hello: is this the service that was meant?
 *
 * Happy path, HTTPS and HTTP: one GET for the marker's path, the answer has its status and header.
 * Without a marker any answer will do, unless it is plainly a portal's. The hub's own hello is in
 * hub.c.
 *
 * Failure modes: silence, an end or something that is no HTTP; a portal's redirect or page; a block
 * page; another service. When the certificate's dates were the only thing wrong with it, the Date
 * of whatever answers settles whether this machine's clock is to blame.
 */
#include "dial/chain.h"
#include "dial/hello.h"
#include "dial/request.h"

#include <stdio.h>
#include <string.h>

static int fail_difference(struct walker *walker, const char *difference)
{
	evidence_add(walker->evidence, "difference", "%s", difference);
	return walker_fail(walker, CAUSE_MARKER_ABSENT, CONFIDENCE_CERTAIN);
}

/* "" when the response carries the marker, else what differs. */
static void marker_difference(
	const struct dial_marker *marker, const struct http_response *response, char difference[400])
{
	difference[0] = '\0';
	if (marker->status && marker->status != response->status) {
		snprintf(difference, 400, "status %d instead of %d", response->status, marker->status);
		return;
	}
	const char *body = buf_text(&response->body);
	if (marker->body_begins &&
		strncmp(body, marker->body_begins, strlen(marker->body_begins)) != 0) {
		snprintf(difference, 400, "the page does not begin with \"%.100s\"", marker->body_begins);
		return;
	}
	if (!marker->header_name)
		return;
	const char *value = http_response_header(response, marker->header_name);
	const char *wanted = marker->header_contains ? marker->header_contains : "";
	if (!value)
		snprintf(difference, 400, "no header %.100s", marker->header_name);
	else if (!strcasestr(value, wanted))
		snprintf(difference, 400, "%.100s is \"%.100s\" and does not contain \"%.100s\"",
			marker->header_name, value, wanted);
}

static int judge_response(struct walker *walker, const struct http_response *response)
{
	const struct dial_marker *marker = walker->target->marker;
	enum confidence confidence = CONFIDENCE_CERTAIN;
	char difference[400] = "";
	if (marker) {
		marker_difference(marker, response, difference);
		evidence_add(walker->evidence, "marker", "%s", difference[0] ? "absent" : "present");
		if (!difference[0])
			return 0;
	}
	enum cause cause =
		page_judge(response, walker->target->host, !marker, walker->evidence, &confidence);
	if (cause)
		return walker_fail(walker, cause, confidence);
	return marker ? fail_difference(walker, difference) : 0;
}

static int page_run(struct walker *walker)
{
	const struct dial_marker *marker = walker->target->marker;
	const char *path = marker && marker->path ? marker->path : "/";
	struct http_response response;
	char text[160];
	http_response_init(&response, HELLO_MAX_BODY, false);
	enum wait_result result = exchange(walker, "GET", path, walker->deadline, &response);
	const char *problem = request_problem(result, &response, text);
	const char *date = http_response_header(&response, "date");
	time_t peer_now;
	bool dated = date && !clock_parse_http(date, &peer_now);
	walker->unanswered = result == WAIT_TIMEOUT;
	int rc;
	evidence_add(walker->evidence, "path", "%s", path);
	if (!problem)
		page_describe(&response, walker->evidence);
	if (dated)
		clock_note(walker->evidence, peer_now);
	if (result == WAIT_CANCELLED)
		rc = walker_wait_failed(walker, result, CAUSE_NONE);
	else if (walker->chain.clock_only)
		rc = chain_fail_dates(walker, dated ? &peer_now : NULL);
	else
		rc = problem ? fail_difference(walker, problem) : judge_response(walker, &response);
	http_response_free(&response);
	return rc;
}

int hello_run(struct walker *walker)
{
	return walker->target->protocol == DIAL_HUB ? hub_run(walker) : page_run(walker);
}
