/*
 * usage: run_as UID CAPABILITY[,CAPABILITY]... COMMAND [ARGUMENT]...
 *
 * Runs COMMAND as a user with these capabilities and no others, not even to be
 * had from a set-uid program; "none" for none at all. To be run by root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  const char *name;
  int number;
} known[] = {
    {"bpf", CAP_BPF},
    {"dac_override", CAP_DAC_OVERRIDE},
    {"dac_read_search", CAP_DAC_READ_SEARCH},
    {"perfmon", CAP_PERFMON},
    {"sys_admin", CAP_SYS_ADMIN},
    {"sys_ptrace", CAP_SYS_PTRACE},
    {"sys_resource", CAP_SYS_RESOURCE},
    {"syslog", CAP_SYSLOG},
};
enum { KNOWN = sizeof known / sizeof *known };

static void require(int failed, const char *what) {
  if (!failed) return;
  fprintf(stderr, "run_as: %s: %s\n", what, strerror(errno));
  exit(125);
}

static uint64_t parse(char *list) {
  uint64_t wanted = 0;
  if (!strcmp(list, "none")) return 0;
  for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
    int at = 0;
    while (at < KNOWN && strcmp(known[at].name, name)) at++;
    if (at == KNOWN) errno = EINVAL, require(1, name);
    wanted |= UINT64_C(1) << known[at].number;
  }
  return wanted;
}

static void keep_only(uint64_t wanted) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  for (int i = 0; i < 2; i++) {
    uint32_t half = wanted >> (32 * i);
    data[i] = (struct __user_cap_data_struct){half, half, half};
  }
  require(syscall(SYS_capset, &header, data), "capset");
  for (int cap = 0; cap < 64; cap++)
    if (wanted >> cap & 1) require(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0), "ambient capability");
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: run_as UID CAPABILITY[,CAPABILITY]... COMMAND [ARGUMENT]...\n"), 2;
  uid_t uid = atoi(argv[1]);
  uint64_t wanted = parse(argv[2]);
  for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
    if (!(wanted >> cap & 1)) require(prctl(PR_CAPBSET_DROP, cap), "bounding set");
  require(prctl(PR_SET_KEEPCAPS, 1), "keep capabilities");
  require(setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid), "change user");
  keep_only(wanted);
  execvp(argv[3], argv + 3);
  fprintf(stderr, "run_as: %s: %s\n", argv[3], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}
