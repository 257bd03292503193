#ifndef FPSTACK_SIDEBAND_H
#define FPSTACK_SIDEBAND_H

#include <node_api.h>

/* What processes do beside our events: start, map, exit, as perf tells it. */
napi_value js_open_sideband(napi_env env, napi_callback_info info);
napi_value js_read_sideband(napi_env env, napi_callback_info info);
napi_value js_close_sideband(napi_env env, napi_callback_info info);

#endif
