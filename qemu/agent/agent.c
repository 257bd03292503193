/*
 * The guest's end of the host channel, and its process 1: runs what the host
 * asks for and carries exit codes, stdout and stderr over a virtio-serial port
 * of their own, so nothing has to be read off the console.
 *
 * A frame is u32 type, u32 id, u32 length, payload; all little-endian. The id
 * is the command's, given by the host. Both sides send a stream's bytes only as
 * far as the other has granted (CREDIT), so no command can hold up another's
 * bytes or the heartbeat. qemu/frame.ts is the other speaker.
 *
 * As process 1 its death is a kernel panic, which ends the guest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  EXEC = 1,
  STDIN = 2,
  SIGNAL = 3,
  CREDIT = 4,
  PING = 5,
  HELLO = 6,
  STARTED = 7,
  STDOUT = 8,
  STDERR = 9,
  EXIT = 10,
  PONG = 11,
};
enum { HEADER = 12, CHUNK = 32 << 10, STDIN_WINDOW = 64 << 10, OUTPUT_WINDOW = 256 << 10 };
enum { LARGEST_FRAME = 256 << 10, QUEUE = 256 << 10, ANSWERS = 4 << 10 };
enum { PORT_WAIT_MS = 20000, PORT_RETRY_MS = 10 };

struct command {
  struct command *next;
  uint32_t id;
  pid_t pid;
  int fd[3]; /* our ends; -1 once closed */
  uint32_t credit[3];
  uint32_t held; /* bytes for its stdin not yet taken */
  bool stdin_ends, exited;
  int status;
  char input[STDIN_WINDOW];
};

static struct command *commands;
static int port, children;
static char queue[QUEUE], incoming[HEADER + LARGEST_FRAME];
static size_t queued, sent, received;

static void power_off(void) {
  reboot(RB_POWER_OFF);
  abort();
}

static void fail(const char *what) {
  fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
  power_off();
}

static size_t room(void) {
  return QUEUE - queued;
}

static void put(uint32_t type, uint32_t id, const void *payload, uint32_t length) {
  const uint32_t header[3] = {type, id, length};
  if (room() < HEADER + length) fail("the queue to the host overflowed");
  memcpy(queue + queued, header, HEADER);
  if (length) memmove(queue + queued + HEADER, payload, length);
  queued += HEADER + length;
}

static void flush(void) {
  while (sent < queued) {
    ssize_t n = write(port, queue + sent, queued - sent);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write to the host");
    sent += n;
  }
  sent = queued = 0;
}

static void close_end(struct command *c, int stream) {
  if (c->fd[stream] >= 0) close(c->fd[stream]);
  c->fd[stream] = -1;
}

static _Noreturn void become(int ends[3], uint32_t uid, char **argv, char **envp) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  setpgid(0, 0);
  for (int i = 0; i < 3; i++) dup2(ends[i], i);
  if (uid && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))) _exit(126);
  environ = envp;
  execvp(argv[0], argv);
  dprintf(2, "%s: %s\n", argv[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

static char **strings(char **at, uint32_t count) {
  char **list = calloc(count + 1, sizeof *list);
  for (uint32_t i = 0; i < count; i++, *at += strlen(*at) + 1) list[i] = *at;
  return list;
}

/* Payload: u32 uid, whether stdin is given, argument count, environment count; the strings, each ended by 0. */
static void execute(uint32_t id, char *payload) {
  uint32_t about[4];
  memcpy(about, payload, sizeof about);
  char *at = payload + sizeof about;
  char **argv = strings(&at, about[2]), **envp = strings(&at, about[3]);
  struct command *c = calloc(1, sizeof *c);
  int in[2] = {-1, -1}, out[2], err[2];
  if (!c || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) fail("pipe");
  if (about[1] && pipe2(in, O_CLOEXEC)) fail("pipe");
  if (!about[1]) in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) become((int[3]){in[0], out[1], err[1]}, about[0], argv, envp);
  /* Both sides set the group, so that a signal sent at once finds it. */
  setpgid(pid, pid);
  close(in[0]), close(out[1]), close(err[1]);
  free(argv), free(envp);
  *c = (struct command){.next = commands,
                        .id = id,
                        .pid = pid,
                        .fd = {in[1], out[0], err[0]},
                        .credit = {0, OUTPUT_WINDOW, OUTPUT_WINDOW}};
  for (int i = 0; i < 3; i++)
    if (c->fd[i] >= 0) fcntl(c->fd[i], F_SETFL, O_NONBLOCK);
  commands = c;
  put(STARTED, id, &(uint32_t){pid}, 4);
}

static void feed(struct command *c) {
  if (c->fd[0] >= 0 && c->held) {
    ssize_t n = write(c->fd[0], c->input, c->held);
    if (n < 0 && errno == EAGAIN) return;
    /* Nobody reads any more: the bytes are as good as taken, else the host would wait for ever. */
    if (n < 0) close_end(c, 0), n = c->held;
    c->held -= n;
    memmove(c->input, c->input + n, c->held);
    put(CREDIT, c->id, (uint32_t[2]){0, n}, 8);
  }
  if (!c->held && c->stdin_ends) close_end(c, 0);
}

static void accept_input(struct command *c, const char *bytes, uint32_t length) {
  if (length == 0) c->stdin_ends = true;
  if (c->fd[0] < 0) {
    if (length) put(CREDIT, c->id, (uint32_t[2]){0, length}, 8);
    return;
  }
  if (length > STDIN_WINDOW - c->held) errno = EPROTO, fail("stdin beyond what was granted");
  memcpy(c->input + c->held, bytes, length);
  c->held += length;
  feed(c);
}

static void obey(uint32_t type, uint32_t id, char *payload, uint32_t length) {
  uint32_t word[2] = {0, 0};
  memcpy(word, payload, length < sizeof word ? length : sizeof word);
  if (type == EXEC) return execute(id, payload);
  if (type == PING) return put(PONG, 0, NULL, 0);
  for (struct command *c = commands; c; c = c->next) {
    if (c->id != id) continue;
    if (type == STDIN) accept_input(c, payload, length);
    if (type == SIGNAL && !c->exited) kill(-c->pid, word[0]);
    if (type == CREDIT && word[0] < 3) c->credit[word[0]] += word[1];
  }
}

static void listen_to_host(void) {
  if (received == sizeof incoming) return;
  ssize_t n = read(port, incoming + received, sizeof incoming - received);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) power_off();
  received += n;
}

/* A frame is taken only while its answer has room; else it waits until the host has read. */
static void take_frames(void) {
  size_t used = 0;
  while (received - used >= HEADER && room() >= ANSWERS) {
    uint32_t header[3];
    memcpy(header, incoming + used, HEADER);
    if (header[2] > LARGEST_FRAME) errno = EMSGSIZE, fail("frame from the host");
    if (received - used < HEADER + header[2]) break;
    obey(header[0], header[1], incoming + used + HEADER, header[2]);
    used += HEADER + header[2];
  }
  received -= used;
  memmove(incoming, incoming + used, received);
}

static bool may_read(const struct command *c, int stream) {
  return c->fd[stream] >= 0 && c->credit[stream] && room() >= HEADER + CHUNK + ANSWERS;
}

static void collect(struct command *c, int stream) {
  uint32_t most = c->credit[stream] < CHUNK ? c->credit[stream] : CHUNK;
  ssize_t n = read(c->fd[stream], queue + queued + HEADER, most);
  if (n > 0) {
    put(stream == 1 ? STDOUT : STDERR, c->id, queue + queued + HEADER, n);
    c->credit[stream] -= n;
  } else if (n == 0 || c->exited || errno != EAGAIN) {
    /* After its end the pipe holds all it wrote; what a child left behind writes later is not its output. */
    close_end(c, stream);
  }
}

static void reap(void) {
  struct signalfd_siginfo told;
  while (read(children, &told, sizeof told) > 0) continue;
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    for (struct command *c = commands; c; c = c->next)
      if (c->pid == pid) c->exited = true, c->status = status;
}

/* Payload: exit code, signal. */
static void report_ended(void) {
  for (struct command **at = &commands; *at;) {
    struct command *c = *at;
    if (!c->exited || c->fd[1] >= 0 || c->fd[2] >= 0 || room() < ANSWERS) {
      at = &c->next;
      continue;
    }
    close_end(c, 0);
    uint32_t end[2] = {WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 0,
                       WIFSIGNALED(c->status) ? WTERMSIG(c->status) : 0};
    put(EXIT, c->id, end, sizeof end);
    *at = c->next;
    free(c);
  }
}

static void open_port(const char *path) {
  struct pollfd about = {.events = POLLOUT};
  for (int waited = 0; waited < PORT_WAIT_MS; waited += PORT_RETRY_MS) {
    if (about.fd <= 0) about.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (about.fd > 0 && poll(&about, 1, 0) >= 0 && !(about.revents & POLLHUP)) {
      port = about.fd;
      return;
    }
    usleep(PORT_RETRY_MS * 1000);
  }
  fail(path);
}

static void wait_for_work(void) {
  static struct pollfd *list;
  size_t count = 2;
  int timeout = -1;
  for (struct command *c = commands; c; c = c->next) count += 3;
  list = realloc(list, count * sizeof *list);
  if (!list) fail("realloc");
  list[0] = (struct pollfd){port, (received < sizeof incoming ? POLLIN : 0) | (queued ? POLLOUT : 0), 0};
  list[1] = (struct pollfd){children, POLLIN, 0};
  struct pollfd *at = list + 2;
  for (struct command *c = commands; c; c = c->next) {
    *at++ = (struct pollfd){c->held && room() >= ANSWERS ? c->fd[0] : -1, POLLOUT, 0};
    for (int stream = 1; stream < 3; stream++) {
      *at++ = (struct pollfd){may_read(c, stream) ? c->fd[stream] : -1, POLLIN, 0};
      if (c->exited && may_read(c, stream)) timeout = 0;
    }
  }
  if (poll(list, count, timeout) < 0 && errno != EINTR) fail("poll");
  if ((list[0].revents & (POLLHUP | POLLIN)) == POLLHUP) power_off();
  at = list + 2;
  for (struct command *c = commands; c; c = c->next, at += 3) {
    if (at[0].revents) feed(c);
    for (int stream = 1; stream < 3; stream++)
      if (may_read(c, stream) && (at[stream].revents || c->exited)) collect(c, stream);
  }
  if (list[1].revents) reap();
  report_ended();
  flush();
  if (list[0].revents & POLLIN) listen_to_host();
  take_frames();
  flush();
}

int main(int argc, char **argv) {
  sigset_t mask;
  struct utsname kernel;
  if (argc != 2) return fprintf(stderr, "usage: agent PORT\n"), 2;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  signal(SIGPIPE, SIG_IGN);
  children = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
  open_port(argv[1]);
  uname(&kernel);
  put(HELLO, 0, kernel.release, strlen(kernel.release));
  flush();
  for (;;) wait_for_work();
}
