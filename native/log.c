#include "log.h"

#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

#define CAPACITY ((size_t)1 << 20)

/* libbpf has one print function a process, so the threads of Node share what it says. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The byte that was the nth ever written since the last take is at n % CAPACITY. */
static char *kept;
static size_t written;

static void append(const char *said, size_t length)
{
	size_t at, room;

	if (length > CAPACITY) {
		written += length - CAPACITY;
		said += length - CAPACITY;
		length = CAPACITY;
	}
	at = written % CAPACITY;
	room = CAPACITY - at;
	memcpy(kept + at, said, length < room ? length : room);
	if (length > room)
		memcpy(kept, said + room, length - room);
	written += length;
}

static int hear(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *said;
	int length;

	if (level == LIBBPF_DEBUG)
		return 0;
	/* a verifier's log comes whole, and may be megabytes */
	length = vasprintf(&said, format, arguments);
	if (length < 0)
		return 0;
	pthread_mutex_lock(&lock);
	if (!kept)
		kept = malloc(CAPACITY);
	if (kept)
		append(said, (size_t)length);
	pthread_mutex_unlock(&lock);
	free(said);
	return 0;
}

void keep_log(void)
{
	libbpf_set_print(hear);
}

napi_value take_log(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;
	char *whole, *from;
	size_t length, at;

	(void)info;
	pthread_mutex_lock(&lock);
	length = written < CAPACITY ? written : CAPACITY;
	whole = malloc(length + 1);
	if (whole && length > 0) {
		at = (written - length) % CAPACITY;
		memcpy(whole, kept + at, length - at);
		memcpy(whole + (length - at), kept, at);
	}
	from = whole;
	/* what is left of a line that lost its beginning */
	if (whole && written > length) {
		char *end = memchr(whole, '\n', length);

		if (end)
			from = end + 1;
	}
	free(kept);
	kept = NULL;
	written = 0;
	pthread_mutex_unlock(&lock);
	if (!whole)
		return text(env, "");
	napi_create_string_utf8(env, from, length - (size_t)(from - whole), &result);
	free(whole);
	return result;
}
