/* /v1/openapi.json: openapi.yaml as it was when the hub was built. */
#include "base/embed.h"
#include "hub/api/route.h"

#include <string.h>

extern const struct embedded_file api_documents[];

void openapi_get(struct exchange *exchange)
{
	const struct embedded_file *file = &api_documents[0];
	exchange_header(exchange, "etag:", "\"%s\"", file->hash);
	exchange_header(exchange, "cache-control:", "no-cache");
	if (strstr(exchange->if_none_match, file->hash))
		exchange_empty(exchange, 304);
	else
		exchange_fixed(
			exchange, "application/vnd.oai.openapi+json;version=3.1", file->data, file->size);
}
