/*
 * Reading iptables-save(8): what the reader of lines and that of conditions share. Private to
 * os/linux.
 *
 * For each option of a rule that is a condition: fw_option_find(), then its `read` with the words
 * that follow it. A condition that is not found makes its rule undetermined.
 */
#ifndef OS_LINUX_FIREWALL_IPTABLES_H
#define OS_LINUX_FIREWALL_IPTABLES_H

#include "os/linux/firewall_model.h"

struct fw_reader {
	struct firewall *firewall;
	struct fw_table *table;
	struct fw_rule *rule;
	const char *module; /* the last -m */
	bool negated;
};

/* `words` holds as many as the option has. */
typedef void fw_read_option(struct fw_reader *reader, enum fw_field field, char *const *words);

struct fw_option {
	const char *name;
	int words; /* that follow it */
	fw_read_option *read;
	enum fw_field field;
};

const struct fw_option *fw_option_find(const char *name); /* NULL: not known */

#endif
