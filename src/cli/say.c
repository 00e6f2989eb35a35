#include "cli/say.h"

#include "base/json.h"

#include <stdarg.h>

void say_row(FILE *to, const char *name, const char *format, ...)
{
	va_list args;
	fprintf(to, "  %-10s", name);
	va_start(args, format);
	vfprintf(to, format, args);
	va_end(args);
	fputc('\n', to);
}

void say_finding(FILE *to, const struct finding *finding)
{
	const struct cause_info *info = cause_info(finding->cause);
	cleanup(free_ptr) char *remedy = finding_remedy(finding);
	say_row(to, "cause", "%s (stage %s, %s)", info->id, stage_name(finding->stage),
		finding->confidence == CONFIDENCE_CERTAIN ? "certain" : "likely");
	for (size_t i = 0; i < finding->evidence.count; i++)
		say_row(to, i ? "" : "evidence", "%s: %s", finding->evidence.items[i].name,
			finding->evidence.items[i].value);
	say_row(to, "remedy", "%s", remedy);
	say_row(to, "who", "%s", info->who);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_get_text(object, key);
	return text ? text : "";
}

void say_finding_json(FILE *to, const json_t *object)
{
	size_t i;
	json_t *item;
	say_row(to, "cause", "%s (stage %s, %s)", text_of(object, "cause"), text_of(object, "stage"),
		text_of(object, "confidence"));
	json_array_foreach(json_object_get(object, "evidence"), i, item)
		say_row(to, i ? "" : "evidence", "%s: %s", text_of(item, "name"), text_of(item, "value"));
	say_row(to, "remedy", "%s", text_of(object, "remedy"));
	say_row(to, "who", "%s", text_of(object, "who"));
}
