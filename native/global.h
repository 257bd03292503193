#ifndef FPSTACK_GLOBAL_H
#define FPSTACK_GLOBAL_H

#include <node_api.h>

napi_value js_set_global(napi_env env, napi_callback_info info);

#endif
