/*
 * A profile: the connectivity requirements of one vendor's page, as data (row B1).
 *
 * profile_load() reads a YAML file, checks all of it and fills the struct, or says what is wrong as
 * "FILE:LINE: KEY: what, and how to mend it". profile_find() turns what stands after --profile into
 * a file first; profile_set() then gives its variables other values. What a profile leaves out is
 * unset and asks for nothing. Bounds: 1 MiB a file, 256 endpoints. profile_free() when done;
 * everything in the struct belongs to it. profile_lint() is for whoever writes one.
 *
 * `section` is the part of the vendor's page that a requirement comes from, `row` the row or rows
 * of this project's list; both go into the report.
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define PROFILE_MAX_BYTES     ((size_t)1 << 20)
#define PROFILE_MAX_ENDPOINTS 256
#define PROFILE_MAX_ITEMS     256 /* inbound ports, services, accounts: of each */
#define PROFILE_MAX_PINS      16
#define PROFILE_MAX_VARIABLES 16
#define PROFILE_MAX_HOSTS     8 /* of internet_hosts */

/* Zero is what an absent key leaves. */
enum profile_wish {
	WISH_UNSET,
	WISH_ANY,
	WISH_DHCP,
	WISH_UNSUPPORTED,
	WISH_REQUIRED,
	WISH_PROXY_IS_ENOUGH,
	WISH_FORBIDDEN,
	WISH_ALLOWED,
	WISH_YES,
	WISH_NO,
};

enum profile_os { PROFILE_OS_ANY, PROFILE_OS_LINUX, PROFILE_OS_WINDOWS };
enum profile_protocol { PROFILE_HTTPS, PROFILE_TLS, PROFILE_TCP, PROFILE_HTTP, PROFILE_UDP };
enum profile_transport { PROFILE_OVER_TCP, PROFILE_OVER_UDP };
enum profile_when { PROFILE_ALWAYS, PROFILE_AUTO_INSTALL };
enum profile_auth { PROFILE_AUTH_NONE = 1, PROFILE_AUTH_BASIC = 2 }; /* bits */

struct profile_origin {
	char *section, *row; /* NULL when not given */
};

struct profile_marker {
	char *path;
	uint16_t status; /* 0: any */
	struct {
		char *name, *contains;
	} header;
};

/* What stands as {name} in a host: a region, a customer's own name. */
struct profile_variable {
	char *name;
	char *value; /* NULL: to be set before an endpoint that has it can be tested */
	char *purpose;
};

struct profile_endpoint {
	char *id, *host_form, *purpose, *ca;
	char *host;   /* host_form with the variables' values */
	char *remark; /* what the author wants to be known of it; into the report where untested */
	uint16_t port;
	enum profile_protocol protocol;
	enum profile_wish required; /* WISH_NO: a failure is only a warning */
	char **pins;
	unsigned pins_count;
	struct profile_marker *marker; /* NULL: none */
	struct profile_origin origin;
	char *ca_pem;   /* content of `ca`; NULL: the public CAs */
	bool wildcard;  /* the host is a pattern */
	char *untested; /* why nothing can be tried: "not testable: ..."; NULL: it can */
};

struct profile_inbound {
	uint16_t port;
	enum profile_transport protocol;
	char *service;
	enum profile_os os;
	enum profile_when when;
	struct profile_origin origin;
};

struct profile_service {
	enum profile_os os;
	char *name;
	enum profile_wish state; /* running is the only one */
	struct profile_origin origin;
};

struct profile_account {
	enum profile_os os;
	char *account;
	enum profile_wish rule; /* password-change-not-required is the only one */
	struct profile_origin origin;
};

/* Where the requirements come from that have no list of their own: `sections:`. */
enum profile_topic {
	TOPIC_ADDRESSING_IPV4,
	TOPIC_ADDRESSING_DNS,
	TOPIC_ADDRESSING_DHCP_SERVER,
	TOPIC_ADDRESSING_IPV6,
	TOPIC_DNS_EXTERNAL,
	TOPIC_INTERNET,
	TOPIC_PROXY,
	TOPIC_CLOCK,
	TOPIC_COUNT,
};

struct profile {
	char *id, *title;
	struct {
		char *title, *section, *url;
		char *read; /* when somebody last read that page: "2026-11-22" */
	} source;
	struct profile_variable *variables;
	unsigned variables_count;
	struct {
		enum profile_wish ipv4, dns, ipv6;
	} addressing;
	struct {
		enum profile_wish external;
	} dns;
	enum profile_wish internet;
	char **internet_hosts; /* tried for `internet`; none: a built-in table */
	unsigned internet_hosts_count;
	struct {
		unsigned auth; /* bits of enum profile_auth; 0: not said */
		enum profile_wish inspection;
	} proxy;
	struct profile_endpoint *endpoints;
	unsigned endpoints_count;
	struct profile_inbound *inbound;
	unsigned inbound_count;
	struct profile_service *services;
	unsigned services_count;
	struct profile_account *accounts;
	unsigned accounts_count;
	struct profile_origin sections[TOPIC_COUNT];
	char *file; /* where it was read from */
};

/* NULL with the error filled; else owned by the caller. */
struct profile *profile_load(const char *file, struct err *err);
void profile_free(struct profile *profile);
/* Sets variables, from "region=eu-west-1,site=x", and so the hosts. -1 with the error filled. */
int profile_set(struct profile *profile, const char *settings, struct err *err);
/* Every mistake, and every doubt that a careful author wants to hear of, by line. Needs no profile
 * that loads. */
struct problems;
void profile_lint(const char *file, struct problems *problems);
const char *profile_topic_id(enum profile_topic topic); /* "addressing.ipv4" */

/* Folders in which profiles are looked up by id, the first wins: the administrator's below root,
 * the installed ones, and those beside a program that runs from its build folder. */
struct profile_places {
	const char *root;     /* --root; may be NULL */
	const char *own_path; /* of this program; may be NULL */
};

/* `name` is an id, or a file when it holds a slash or ends in .yaml or .yml. The loaded profile, or
 * NULL with an error that names ids that are near. */
struct profile *profile_find(
	const struct profile_places *places, const char *name, struct err *err);

/* One file of profile_list(). */
struct profile_entry {
	char *id; /* the file's name without .yaml */
	char *file;
	struct profile *profile; /* NULL when it does not load: err says why */
	struct err err;
	bool shadowed; /* an earlier folder has the same id */
};

/* Every profile of every place, in the order of lookup; owned by the caller. */
struct profile_entry *profile_list(const struct profile_places *places, size_t *count);
void profile_list_free(struct profile_entry *entries, size_t count);

#endif
