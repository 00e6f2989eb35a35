/* A machine's report: what the history takes of it, and what the database made of it gives back. */
#include "base/json.h"
#include "fuzz.h"
#include "hub/check_report.h"
#include "store/report_blob.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_check row = {.requested_by = xstrdup(size & 1 ? "" : "alice")};
	size_t len = 0;
	free(report_unpack(data, size));
	json_t *report = json_parse((const char *)data, size, NULL);
	if (report && check_report_take(report, &row) == 0) {
		json_t *causes = json_parse(row.causes, strlen(row.causes), NULL);
		assert(json_array_size(causes) <= CHECK_REPORT_MAX_CAUSES);
		json_decref(causes);
		unsigned char *packed = report_pack(row.report, &len);
		char *again = report_unpack(packed, len);
		assert(again && strcmp(again, row.report) == 0);
		free(again);
		free(packed);
	}
	json_decref(report);
	store_check_free(&row);
	return 0;
}
