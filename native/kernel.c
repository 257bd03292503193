#include "kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "value.h"

/* What the two lists differ in. describe answers NULL where the kernel tells nothing of it. */
struct listing {
	int (*next)(__u32 after, __u32 *id);
	int (*open)(__u32 id);
	napi_value (*describe)(napi_env env, int fd);
};

static napi_value describe_program(napi_env env, int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t length = sizeof(info);
	napi_value row;

	if (bpf_prog_get_info_by_fd(fd, &info, &length) || napi_create_object(env, &row) != napi_ok)
		return NULL;
	info.name[sizeof(info.name) - 1] = '\0';
	set(env, row, "id", number(env, info.id));
	set(env, row, "type", number(env, info.type));
	set(env, row, "name", text(env, info.name));
	return row;
}

static napi_value describe_link(napi_env env, int fd)
{
	struct bpf_link_info info = {0};
	uint32_t length = sizeof(info);
	napi_value row;

	if (bpf_link_get_info_by_fd(fd, &info, &length) || napi_create_object(env, &row) != napi_ok)
		return NULL;
	set(env, row, "id", number(env, info.id));
	set(env, row, "type", number(env, info.type));
	set(env, row, "programId", number(env, info.prog_id));
	return row;
}

static napi_value list(napi_env env, const struct listing *listing)
{
	napi_value rows, row;
	uint32_t count = 0;
	__u32 id = 0;
	int error, fd;

	if (napi_create_array(env, &rows) != napi_ok)
		return NULL;
	while (!(error = listing->next(id, &id))) {
		fd = listing->open(id);
		/* gone since it was named */
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return number(env, fd);
		row = listing->describe(env, fd);
		close(fd);
		if (row && napi_set_element(env, rows, count++, row) != napi_ok)
			return NULL;
	}
	return error == -ENOENT ? rows : number(env, error);
}

napi_value js_kernel_programs(napi_env env, napi_callback_info info)
{
	static const struct listing programs = {bpf_prog_get_next_id, bpf_prog_get_fd_by_id, describe_program};

	(void)info;
	return list(env, &programs);
}

napi_value js_kernel_links(napi_env env, napi_callback_info info)
{
	static const struct listing links = {bpf_link_get_next_id, bpf_link_get_fd_by_id, describe_link};

	(void)info;
	return list(env, &links);
}
