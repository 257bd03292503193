#ifndef FPSTACK_KERNEL_H
#define FPSTACK_KERNEL_H

#include <node_api.h>

napi_value js_kernel_programs(napi_env env, napi_callback_info info);
napi_value js_kernel_links(napi_env env, napi_callback_info info);

#endif
