#ifndef FPSTACK_VALUE_H
#define FPSTACK_VALUE_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Values between JavaScript and C. take_* read an argument; false means that a
 * TypeError is pending and the caller returns NULL.
 */

/* Longer than any path, symbol or section name. */
struct text {
	char bytes[4096];
	/* 0, -ENAMETOOLONG, or -EINVAL for a string that holds a NUL */
	int error;
};

struct bytes {
	uint8_t *data;
	size_t length;
};

bool take_arguments(napi_env env, napi_callback_info info, napi_value *arguments, size_t count);
bool take_text(napi_env env, napi_value value, struct text *text);
bool take_bytes(napi_env env, napi_value value, struct bytes *bytes);
bool take_bool(napi_env env, napi_value value, bool *result);
bool take_uint32(napi_env env, napi_value value, uint32_t *result);
bool take_int32(napi_env env, napi_value value, int32_t *result);
bool take_uint64(napi_env env, napi_value value, uint64_t *result);
bool is_undefined(napi_env env, napi_value value);
napi_value type_error(napi_env env, const char *message);

napi_value number(napi_env env, double value);
napi_value text(napi_env env, const char *utf8);
/* Sets object[name]; a value of NULL (out of memory, say) leaves it unset. */
void set(napi_env env, napi_value object, const char *name, napi_value value);

#endif
