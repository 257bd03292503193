#ifndef FPSTACK_OBJECT_H
#define FPSTACK_OBJECT_H

#include <bpf/libbpf.h>
#include <node_api.h>
#include <stdbool.h>

#include "list.h"
#include "value.h"

/*
 * An opened BPF object. Its handle, its links and its rings each hold a
 * reference; closing it closes them first, whatever references remain.
 */
struct object {
	/* in the instance's list while open */
	struct node node;
	struct node links, rings;
	/* NULL once closed */
	struct bpf_object *bpf;
	/* load was tried, which can be done once */
	bool loaded;
	unsigned references;
};

bool take_object(napi_env env, napi_value value, struct object **object);
void close_object(struct object *object);
void release_object(struct object *object);
/* 0, or a negative errno: -EBADF closed, -ENOENT no such name */
int find_program(const struct object *object, const struct text *name, struct bpf_program **program);
int find_map(const struct object *object, const struct text *name, struct bpf_map **map);
/* libbpf's own error numbers begin at 4000; their nearest errno. Others stay. */
int plain_error(int error);

napi_value js_open_object(napi_env env, napi_callback_info info);
napi_value js_close_object(napi_env env, napi_callback_info info);
napi_value js_programs(napi_env env, napi_callback_info info);
napi_value js_maps(napi_env env, napi_callback_info info);
napi_value js_set_autoload(napi_env env, napi_callback_info info);
napi_value js_set_autocreate(napi_env env, napi_callback_info info);
napi_value js_set_max_entries(napi_env env, napi_callback_info info);
napi_value js_share_map(napi_env env, napi_callback_info info);
napi_value js_load(napi_env env, napi_callback_info info);
napi_value js_program_status(napi_env env, napi_callback_info info);

#endif
