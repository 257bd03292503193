#ifndef FPSTACK_RING_H
#define FPSTACK_RING_H

#include <node_api.h>

#include "list.h"

struct ring;
struct ring *ring_of(struct node *node);
void close_ring(struct ring *ring);

napi_value js_open_ring(napi_env env, napi_callback_info info);
napi_value js_wait_ring(napi_env env, napi_callback_info info);
napi_value js_cancel_ring(napi_env env, napi_callback_info info);
napi_value js_read_ring(napi_env env, napi_callback_info info);
napi_value js_close_ring(napi_env env, napi_callback_info info);

#endif
