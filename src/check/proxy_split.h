/*
 * Does the service go out another way than this shell (rows R19, R22)?
 *
 * A daemon does not inherit a shell's environment, so a check that is run from a shell may pass
 * where the service fails, or the reverse. The service reads /etc/sallyport/proxy.env alone.
 */
#ifndef CHECK_PROXY_SPLIT_H
#define CHECK_PROXY_SPLIT_H

#include "dial/proxy.h"

/* True with `split` filled (proxy-settings-split) when `here`, what this process would use, names a
 * proxy and the service has other settings, or none although a service has joined. A machine
 * without a service and without its file is not split. A joined service without any setting may be
 * meant to go directly, so that one is only likely. No secret gets into the finding. */
bool proxy_split_find(const struct proxy_settings *here, bool service_joined, const char *root,
	struct finding *split);
/* True when `here` names a proxy and the service's file is there and may not be read by this user,
 * so that nobody can say whether the two differ. */
bool proxy_split_hidden(const struct proxy_settings *here, const char *root);

#endif
