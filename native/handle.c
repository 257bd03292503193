#include "handle.h"

#include "value.h"

/* Random, so that no other addon's handle passes for ours. */
const napi_type_tag object_tag = {0x4a0f6bd2c1e94f37, 0x9c25e8a4307b51d6};
const napi_type_tag link_tag = {0x8e31d7f50b6a4c92, 0xa7f4026c9d18e3b5};
const napi_type_tag ring_tag = {0xd35c914e68fa4b01, 0xb09ae7632fc1845d};
const napi_type_tag sideband_tag = {0x5b72c0e9146ad83f, 0xe6184df3a95b27c0};

napi_value make_handle(napi_env env, const napi_type_tag *tag, void *data, napi_finalize finalize)
{
	napi_value handle;

	if (napi_create_object(env, &handle) != napi_ok || napi_type_tag_object(env, handle, tag) != napi_ok ||
	    napi_wrap(env, handle, data, finalize, NULL, NULL) != napi_ok)
		return NULL;
	return handle;
}

bool take_handle(napi_env env, napi_value value, const napi_type_tag *tag, void **data)
{
	napi_valuetype type;
	bool tagged = false;

	if (napi_typeof(env, value, &type) == napi_ok && type == napi_object &&
	    napi_check_object_type_tag(env, value, tag, &tagged) == napi_ok && tagged &&
	    napi_unwrap(env, value, data) == napi_ok)
		return true;
	type_error(env, "expected a handle of another kind");
	return false;
}
