#ifndef FPSTACK_INSTANCE_H
#define FPSTACK_INSTANCE_H

#include <node_api.h>

#include "list.h"

/* What one loading of the addon holds: the main thread and each Worker have their own. */
struct instance {
	/* open objects */
	struct node objects;
	/* rings whose poll handle libuv has not yet let go */
	unsigned closing;
	napi_async_cleanup_hook_handle cleanup;
};

struct instance *instance_of(napi_env env);
/* false: Node refused, and nothing is held */
bool make_instance(napi_env env);
/* Ends the environment's wait for this addon, once asked to and nothing is closing any more. */
void instance_closed_one(struct instance *instance);

#endif
