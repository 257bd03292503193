#include "value.h"

#include <errno.h>
#include <string.h>

napi_value type_error(napi_env env, const char *message)
{
	napi_throw_type_error(env, NULL, message);
	return NULL;
}

static bool refuse(napi_env env, const char *message)
{
	type_error(env, message);
	return false;
}

bool take_arguments(napi_env env, napi_callback_info info, napi_value *arguments, size_t count)
{
	size_t given = count;

	if (napi_get_cb_info(env, info, &given, arguments, NULL, NULL) != napi_ok)
		return refuse(env, "arguments");
	/* Node-API fills what was not given with undefined */
	return true;
}

bool take_text(napi_env env, napi_value value, struct text *text)
{
	size_t length, copied;

	if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok)
		return refuse(env, "expected a string");
	text->error = length < sizeof(text->bytes) ? 0 : -ENAMETOOLONG;
	if (napi_get_value_string_utf8(env, value, text->bytes, sizeof(text->bytes), &copied) != napi_ok)
		return refuse(env, "expected a string");
	if (!text->error && strlen(text->bytes) != length)
		text->error = -EINVAL;
	return true;
}

bool take_bytes(napi_env env, napi_value value, struct bytes *bytes)
{
	napi_typedarray_type type;
	void *data;
	bool is_array;

	if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array ||
	    napi_get_typedarray_info(env, value, &type, &bytes->length, &data, NULL, NULL) != napi_ok ||
	    type != napi_uint8_array)
		return refuse(env, "expected a Uint8Array");
	bytes->data = data;
	return true;
}

bool take_bool(napi_env env, napi_value value, bool *result)
{
	return napi_get_value_bool(env, value, result) == napi_ok || refuse(env, "expected a boolean");
}

static bool take_whole(napi_env env, napi_value value, double lowest, double highest, double *result)
{
	/* NaN fails each comparison */
	return (napi_get_value_double(env, value, result) == napi_ok && *result >= lowest && *result <= highest &&
		(double)(int64_t)*result == *result) ||
	       refuse(env, "expected a whole number in range");
}

bool take_uint32(napi_env env, napi_value value, uint32_t *result)
{
	double whole;

	if (!take_whole(env, value, 0, UINT32_MAX, &whole))
		return false;
	*result = (uint32_t)whole;
	return true;
}

bool take_int32(napi_env env, napi_value value, int32_t *result)
{
	double whole;

	if (!take_whole(env, value, INT32_MIN, INT32_MAX, &whole))
		return false;
	*result = (int32_t)whole;
	return true;
}

bool take_uint64(napi_env env, napi_value value, uint64_t *result)
{
	bool lossless;

	return (napi_get_value_bigint_uint64(env, value, result, &lossless) == napi_ok && lossless) ||
	       refuse(env, "expected a bigint of 64 bits");
}

bool is_undefined(napi_env env, napi_value value)
{
	napi_valuetype type;

	return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

napi_value number(napi_env env, double value)
{
	napi_value result = NULL;

	napi_create_double(env, value, &result);
	return result;
}

napi_value text(napi_env env, const char *utf8)
{
	napi_value result = NULL;

	napi_create_string_utf8(env, utf8 ? utf8 : "", NAPI_AUTO_LENGTH, &result);
	return result;
}

void set(napi_env env, napi_value object, const char *name, napi_value value)
{
	if (value)
		napi_set_named_property(env, object, name, value);
}
