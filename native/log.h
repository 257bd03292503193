#ifndef FPSTACK_LOG_H
#define FPSTACK_LOG_H

#include <node_api.h>

/* Has libbpf speak to take_log from now on. */
void keep_log(void);
napi_value take_log(napi_env env, napi_callback_info info);

#endif
