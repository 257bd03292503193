#ifndef FPSTACK_ATTACH_H
#define FPSTACK_ATTACH_H

#include <bpf/libbpf.h>
#include <node_api.h>

#include "list.h"

struct object;

struct link {
	/* in its object's list while open */
	struct node node;
	struct object *object;
	/* NULL once closed */
	struct bpf_link *bpf;
};

void close_link(struct link *link);

napi_value js_attach_kprobe(napi_env env, napi_callback_info info);
napi_value js_attach_tracepoint(napi_env env, napi_callback_info info);
napi_value js_attach_perf_event(napi_env env, napi_callback_info info);
napi_value js_close_link(napi_env env, napi_callback_info info);

#endif
