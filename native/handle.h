#ifndef FPSTACK_HANDLE_H
#define FPSTACK_HANDLE_H

#include <node_api.h>
#include <stdbool.h>

/*
 * A handle is an empty JavaScript object that wraps a C structure and bears its
 * kind's tag. (Externals can be tagged only in later Node 18s.)
 */
extern const napi_type_tag object_tag, link_tag, ring_tag, sideband_tag;

/* NULL when Node refused; the caller then still owns data. */
napi_value make_handle(napi_env env, const napi_type_tag *tag, void *data, napi_finalize finalize);
/* false: a TypeError is pending */
bool take_handle(napi_env env, napi_value value, const napi_type_tag *tag, void **data);

#endif
