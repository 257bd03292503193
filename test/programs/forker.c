/*
 * usage: forker COUNT
 *
 * Makes COUNT children one after the other. Each opens one file, by the chain
 * main → forker_make_child → demo_handle_request → … of demo.h, and is gone
 * before anyone can look at its /proc entry. Says "forker: N children".
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

CHAIN static int forker_make_child(void) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    demo_handle_request("/etc/hostname");
    _exit(0);
  }
  return waitpid(child, NULL, 0) == child ? 0 : -1;
}

int main(int argc, char **argv) {
  int count = argc == 2 ? atoi(argv[1]) : 0, made = 0;
  if (count <= 0) return fprintf(stderr, "usage: forker COUNT\n"), 2;
  while (made < count && forker_make_child() == 0) made++;
  printf("forker: %d children\n", made);
  return made == count ? 0 : 1;
}
