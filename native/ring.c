#include "ring.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "handle.h"
#include "instance.h"
#include "object.h"
#include "records.h"
#include "uv_poll.h"

/*
 * Waiting is left to Node's own event loop (uv_poll on the map): no thread, and
 * no wake-up while nothing comes. napi_create_async_work would not do: a thread
 * of libuv's pool that blocks in poll keeps process.exit, an uncaught exception
 * and worker.terminate waiting for ever, since Node joins the pool.
 */
struct ring {
	struct node node;
	struct object *object;
	struct instance *instance;
	napi_env env;
	bool open, cancelled;
	/* its handle, and its poll handle until libuv lets go of it */
	unsigned references;
	int fd;
	struct records records;
	uv_poll_t *poll;
	/* a promise not settled yet; the handle is kept from the garbage collector meanwhile */
	napi_deferred waiting;
	napi_ref kept;
	napi_async_context context;
};

struct ring *ring_of(struct node *node)
{
	return owner_of(node, struct ring, node);
}

static void release_ring(struct ring *ring)
{
	if (--ring->references == 0)
		free(ring);
}

static void settle(struct ring *ring, double with)
{
	napi_deferred waiting = ring->waiting;

	if (!waiting)
		return;
	ring->waiting = NULL;
	uv_poll_stop(ring->poll);
	napi_delete_reference(ring->env, ring->kept);
	napi_async_destroy(ring->env, ring->context);
	napi_resolve_deferred(ring->env, waiting, number(ring->env, with));
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct ring *ring = uv_handle_get_data(poll);
	napi_env env = ring->env;
	napi_handle_scope handles;
	napi_callback_scope callback;
	napi_value resource;

	(void)events;
	if (napi_open_handle_scope(env, &handles) != napi_ok)
		return;
	/* without a callback scope the promise's reactions would wait for some other event */
	if (napi_get_reference_value(env, ring->kept, &resource) == napi_ok &&
	    napi_open_callback_scope(env, resource, ring->context, &callback) == napi_ok) {
		settle(ring, status < 0 ? status : 1);
		napi_close_callback_scope(env, callback);
	}
	napi_close_handle_scope(env, handles);
}

static void on_closed(uv_poll_t *poll)
{
	struct ring *ring = uv_handle_get_data(poll);

	instance_closed_one(ring->instance);
	close(ring->fd);
	free(poll);
	release_ring(ring);
}

void close_ring(struct ring *ring)
{
	napi_handle_scope handles;

	if (!ring->open)
		return;
	ring->open = false;
	if (napi_open_handle_scope(ring->env, &handles) == napi_ok) {
		settle(ring, 0);
		napi_close_handle_scope(ring->env, handles);
	}
	unmap_records(&ring->records);
	list_remove(&ring->node);
	release_object(ring->object);
	ring->instance->closing++;
	uv_close(ring->poll, on_closed);
}

static void finalize(napi_env env, void *data, void *hint)
{
	struct ring *ring = data;

	(void)env;
	(void)hint;
	close_ring(ring);
	release_ring(ring);
}

static bool take_ring(napi_env env, napi_value value, struct ring **ring)
{
	void *data;

	if (!take_handle(env, value, &ring_tag, &data))
		return false;
	*ring = data;
	return true;
}

/* A descriptor of our own, so that the ring outlives whatever libbpf does with the map's. */
static int open_records(struct bpf_map *map, struct ring *ring)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	int fd = bpf_map__fd(map), error;

	if (fd < 0)
		return -ENOENT;
	error = bpf_map_get_info_by_fd(fd, &info, &length);
	if (error)
		return error;
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		return -EINVAL;
	ring->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (ring->fd < 0)
		return -errno;
	error = map_records(&ring->records, ring->fd, info.max_entries);
	if (error)
		close(ring->fd);
	return error;
}

/* 0 and the ring is open, or a negative errno and it holds nothing */
static int open_ring(napi_env env, struct bpf_map *map, struct ring *ring)
{
	uv_loop_t *loop;
	int error = open_records(map, ring);

	if (error)
		return error;
	ring->poll = malloc(uv_handle_size(UV_POLL));
	if (!ring->poll)
		error = -ENOMEM;
	else if (napi_get_uv_event_loop(env, &loop) != napi_ok)
		error = -EINVAL;
	else
		error = uv_poll_init(loop, ring->poll, ring->fd);
	if (error) {
		unmap_records(&ring->records);
		close(ring->fd);
		free(ring->poll);
		return error;
	}
	uv_handle_set_data(ring->poll, ring);
	ring->open = true;
	return 0;
}

napi_value js_open_ring(napi_env env, napi_callback_info info)
{
	napi_value argument[2], handle;
	struct object *object;
	struct bpf_map *map;
	struct ring *ring;
	struct text name;
	int error;

	if (!take_arguments(env, info, argument, 2) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name))
		return NULL;
	error = find_map(object, &name, &map);
	if (error)
		return number(env, error);
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return number(env, -ENOMEM);
	ring->env = env;
	ring->instance = instance_of(env);
	ring->object = object;
	error = open_ring(env, map, ring);
	if (error) {
		free(ring);
		return number(env, error);
	}
	ring->references = 2;
	object->references++;
	list_add(&object->rings, &ring->node);
	handle = make_handle(env, &ring_tag, ring, finalize);
	if (!handle)
		finalize(env, ring, NULL);
	return handle;
}

/* 0, or a negative errno and nothing waits */
static int begin_wait(napi_env env, napi_value handle, struct ring *ring)
{
	int error;

	if (napi_create_reference(env, handle, 1, &ring->kept) != napi_ok)
		return -ENOMEM;
	if (napi_async_init(env, handle, text(env, "fpstack.waitRing"), &ring->context) != napi_ok) {
		napi_delete_reference(env, ring->kept);
		return -ENOMEM;
	}
	error = uv_poll_start(ring->poll, UV_READABLE, on_readable);
	if (error) {
		napi_async_destroy(env, ring->context);
		napi_delete_reference(env, ring->kept);
	}
	return error;
}

napi_value js_wait_ring(napi_env env, napi_callback_info info)
{
	napi_value argument[1], promise;
	napi_deferred deferred;
	struct ring *ring;
	int answer = 0;

	if (!take_arguments(env, info, argument, 1) || !take_ring(env, argument[0], &ring) ||
	    napi_create_promise(env, &deferred, &promise) != napi_ok)
		return NULL;
	if (ring->waiting)
		answer = -EBUSY;
	else if (ring->open && !ring->cancelled) {
		answer = begin_wait(env, argument[0], ring);
		if (answer == 0) {
			ring->waiting = deferred;
			return promise;
		}
	}
	napi_resolve_deferred(env, deferred, number(env, answer));
	return promise;
}

napi_value js_cancel_ring(napi_env env, napi_callback_info info)
{
	napi_value argument[1];
	struct ring *ring;

	if (take_arguments(env, info, argument, 1) && take_ring(env, argument[0], &ring)) {
		ring->cancelled = true;
		settle(ring, 0);
	}
	return NULL;
}

napi_value js_read_ring(napi_env env, napi_callback_info info)
{
	napi_value argument[2];
	struct ring *ring;
	struct bytes buffer;

	if (!take_arguments(env, info, argument, 2) || !take_ring(env, argument[0], &ring) ||
	    !take_bytes(env, argument[1], &buffer))
		return NULL;
	if (!ring->open)
		return number(env, -EBADF);
	return number(env, (double)copy_records(&ring->records, buffer.data, buffer.length));
}

napi_value js_close_ring(napi_env env, napi_callback_info info)
{
	napi_value argument[1];
	struct ring *ring;

	if (take_arguments(env, info, argument, 1) && take_ring(env, argument[0], &ring))
		close_ring(ring);
	return NULL;
}
