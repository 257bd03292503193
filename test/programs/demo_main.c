/*
 * usage: PROGRAM [COUNT [INTERVAL_MS]]
 *
 * Goes down the chain of demo.h COUNT times, for ever without it or with 0,
 * INTERVAL_MS (10) apart; then, or on SIGINT and SIGTERM, says
 * "PROGRAM: N opens by pid P".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

static volatile sig_atomic_t stopped;

static void stop(int signal) {
  stopped = signal;
}

static long wait_between(long ms) {
  const struct timespec interval = {ms / 1000, ms % 1000 * 1000000};
  return ms ? nanosleep(&interval, NULL) : 0;
}

CHAIN static long demo_serve_requests(long count, long interval_ms) {
  long served = 0;
  while (!stopped && (count == 0 || served < count)) {
    demo_handle_request("/etc/hostname");
    served++;
    if (served != count) wait_between(interval_ms);
  }
  return served;
}

static long number(const char *text) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (!errno && !*end && value >= 0) return value;
  fprintf(stderr, "usage: %s [COUNT [INTERVAL_MS]]\n", program_invocation_short_name);
  exit(2);
}

int main(int argc, char **argv) {
  const struct sigaction on_stop = {.sa_handler = stop};
  sigaction(SIGINT, &on_stop, NULL);
  sigaction(SIGTERM, &on_stop, NULL);
  long served = demo_serve_requests(argc > 1 ? number(argv[1]) : 0, argc > 2 ? number(argv[2]) : 10);
  printf("%s: %ld opens by pid %d\n", program_invocation_short_name, served, getpid());
  return 0;
}
