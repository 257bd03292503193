#ifndef FPSTACK_UV_POLL_H
#define FPSTACK_UV_POLL_H

#include <stddef.h>

/*
 * As much of libuv as ring.c calls, in the ABI of every libuv 1. Not its own
 * uv.h, because Debian's Node has that in a package of its own, out of a cross
 * compiler's way; and so nothing here depends on a structure's size.
 */
typedef struct uv_loop_s uv_loop_t;
typedef struct uv_poll_s uv_poll_t;

/* of enum uv_handle_type and enum uv_poll_event */
#define UV_POLL 8
#define UV_READABLE 1

size_t uv_handle_size(int type);
void *uv_handle_get_data(const uv_poll_t *handle);
void uv_handle_set_data(uv_poll_t *handle, void *data);
/* each answers 0 or a negative errno */
int uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd);
int uv_poll_start(uv_poll_t *handle, int events, void (*heard)(uv_poll_t *handle, int status, int events));
int uv_poll_stop(uv_poll_t *handle);
void uv_close(uv_poll_t *handle, void (*closed)(uv_poll_t *handle));

#endif
