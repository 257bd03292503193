#ifndef FPSTACK_MAP_H
#define FPSTACK_MAP_H

#include <node_api.h>

napi_value js_possible_cpus(napi_env env, napi_callback_info info);
napi_value js_lookup(napi_env env, napi_callback_info info);
napi_value js_update(napi_env env, napi_callback_info info);
napi_value js_read_map(napi_env env, napi_callback_info info);

#endif
