#include "instance.h"

#include <stdlib.h>

#include "object.h"

struct instance *instance_of(napi_env env)
{
	void *instance = NULL;

	napi_get_instance_data(env, &instance);
	return instance;
}

static void free_instance(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	free(data);
}

/* The environment ends: a Worker is terminated, or Node itself ends by its own. */
static void clean_up(napi_async_cleanup_hook_handle handle, void *data)
{
	struct instance *instance = data;

	instance->cleanup = handle;
	while (!list_empty(&instance->objects))
		close_object(owner_of(instance->objects.next, struct object, node));
	if (instance->closing == 0)
		napi_remove_async_cleanup_hook(handle);
}

void instance_closed_one(struct instance *instance)
{
	if (--instance->closing == 0 && instance->cleanup)
		napi_remove_async_cleanup_hook(instance->cleanup);
}

bool make_instance(napi_env env)
{
	struct instance *instance = calloc(1, sizeof(*instance));

	if (!instance)
		return false;
	list_init(&instance->objects);
	if (napi_set_instance_data(env, instance, free_instance, NULL) != napi_ok) {
		free(instance);
		return false;
	}
	return napi_add_async_cleanup_hook(env, clean_up, instance, NULL) == napi_ok;
}
