/*
 * A faulty disk, preloaded under a process: every call that touches a file below ORDERKEEP_FAULTS_ROOT is counted, and the
 * one that the environment names goes wrong. C, because the loader needs plain symbols and this needs none of ours; built
 * by the harness with `cc`.
 *
 *   ORDERKEEP_FAULTS_ROOT   the folder whose files count
 *   ORDERKEEP_FAULTS_TRACE  a file that gets one line for every call: index, call, file, bytes
 *   ORDERKEEP_FAULTS_AT     which call goes wrong (from 0), or with `ack` which acknowledgement (from 1)
 *   ORDERKEEP_FAULTS_KIND   how, see `kind_of`
 *   ORDERKEEP_FAULTS_MOUNT  the file system whose power is cut
 *   ORDERKEEP_FAULTS_TWIN   a process that is to be caught: `nosync` (fdatasync does nothing),
 *                           `retry` (a sync that fails is tried again)
 *
 * A sync that fails behaves as the kernel does at its worst: what was written since the last good sync of the file is
 * taken back at once, and the next sync succeeds. So whoever tries again believes in data that is gone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* ext4 (and XFS): stop the file system at once; 2: without flushing its log. */
#define SHUTDOWN 0x8004587DUL
#define WITHOUT_LOG_FLUSH 2

enum kind {
    NOTHING,
    ENOSPC_ONCE, /* no room, this time */
    ENOSPC_ON,   /* no room from now on */
    EIO_ONCE,
    SHORT,       /* half of it, and says so */
    TORN,        /* half of it, then the process is gone */
    KILL_BEFORE,
    KILL_AFTER,
    FLIP,        /* one bit is another on its way */
    HANG,        /* never comes back */
    CUT,         /* the power goes before it */
    CUT_AT_ACK,  /* the power goes right after an acknowledgement was written */
};

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_sync_file_range)(int, off64_t, off64_t, unsigned);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);
static int (*real_open)(const char *, int, ...);

static char root[PATH_MAX];
static int trace = -1, mount_fd = -1;
static long at = -1, calls, acks;
static enum kind kind;
static int no_sync, retry;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static enum kind kind_of(const char *name) {
    static const struct { const char *name; enum kind kind; } all[] = {
        {"enospc", ENOSPC_ONCE}, {"full", ENOSPC_ON},     {"eio", EIO_ONCE},         {"short", SHORT},
        {"torn", TORN},          {"kill", KILL_BEFORE},   {"kill-after", KILL_AFTER}, {"flip", FLIP},
        {"hang", HANG},          {"cut", CUT},            {"cut-at-ack", CUT_AT_ACK},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, name)) return all[i].kind;
    fprintf(stderr, "faults: no kind `%s`\n", name);
    abort();
}

static void find(void *function, const char *name) {
    *(void **)function = dlsym(RTLD_NEXT, name);
    if (!*(void **)function) abort();
}

__attribute__((constructor)) static void begin(void) {
    find(&real_write, "write");
    find(&real_pwrite, "pwrite64");
    find(&real_read, "read");
    find(&real_pread, "pread64");
    find(&real_ftruncate, "ftruncate64");
    find(&real_fsync, "fsync");
    find(&real_fdatasync, "fdatasync");
    find(&real_sync_file_range, "sync_file_range");
    find(&real_rename, "rename");
    find(&real_unlink, "unlink");
    find(&real_open, "open64");
    const char *value;
    if ((value = getenv("ORDERKEEP_FAULTS_MOUNT"))) mount_fd = real_open(value, O_RDONLY | O_CLOEXEC);
    if ((value = getenv("ORDERKEEP_FAULTS_TRACE")))
        trace = real_open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if ((value = getenv("ORDERKEEP_FAULTS_AT"))) at = atol(value);
    if ((value = getenv("ORDERKEEP_FAULTS_KIND"))) kind = kind_of(value);
    if ((value = getenv("ORDERKEEP_FAULTS_TWIN"))) {
        no_sync = !strcmp(value, "nosync");
        retry = !strcmp(value, "retry");
    }
    if ((value = getenv("ORDERKEEP_FAULTS_ROOT"))) snprintf(root, sizeof root, "%s", value);
}

/* --- whose file it is ------------------------------------------------------------------------------------------- */

/* The path below the root, or NULL. */
static const char *inside(const char *path) {
    size_t length = strlen(root);
    return length && !strncmp(path, root, length) && path[length] == '/' ? path + length + 1 : NULL;
}

static const char *inside_fd(int fd, char *buffer) {
    char link[64];
    if (!*root) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length <= 0) return NULL;
    buffer[length] = 0;
    return inside(buffer);
}

/* --- what a failed sync takes back ------------------------------------------------------------------------------- */

struct before {
    struct before *next;
    dev_t dev;
    ino_t ino;
    off64_t offset, size;
    size_t length;
    char bytes[];
};
static struct before *unsynced; /* the newest first */

/* Keeps what a write is about to cover. */
static void remember(int fd, off64_t offset, size_t length) {
    struct stat64 found;
    if (fstat64(fd, &found)) return;
    size_t old = 0;
    if (offset < found.st_size) {
        size_t rest = found.st_size - offset;
        old = rest < length ? rest : length;
    }
    struct before *before = malloc(sizeof *before + old);
    if (!before) abort();
    *before = (struct before){.dev = found.st_dev, .ino = found.st_ino, .offset = offset, .size = found.st_size};
    ssize_t got = old ? real_pread(fd, before->bytes, old, offset) : 0;
    before->length = got > 0 ? got : 0;
    pthread_mutex_lock(&lock);
    before->next = unsynced;
    unsynced = before;
    pthread_mutex_unlock(&lock);
}

/* The file is synced, or (with `take_back`) its unsynced writes are gone. */
static void settle(int fd, int take_back) {
    struct stat64 found;
    if (fstat64(fd, &found)) return;
    pthread_mutex_lock(&lock);
    struct before **place = &unsynced;
    while (*place) {
        struct before *before = *place;
        if (before->dev != found.st_dev || before->ino != found.st_ino) {
            place = &before->next;
            continue;
        }
        if (take_back) {
            if (before->length && real_pwrite(fd, before->bytes, before->length, before->offset) < 0) abort();
            if (real_ftruncate(fd, before->size)) abort();
        }
        *place = before->next;
        free(before);
    }
    pthread_mutex_unlock(&lock);
}

/* --- the fault ----------------------------------------------------------------------------------------------------- */

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void cut_power(void) {
    unsigned flag = WITHOUT_LOG_FLUSH;
    if (ioctl(mount_fd, SHUTDOWN, &flag)) abort();
}

/* Counts a call; says what is to happen to it. What ends everything happens here. */
static enum kind strike(const char *call, const char *name, size_t bytes) {
    long index = __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
    if (trace >= 0) {
        char line[PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%ld %s %s %zu\n", index, call, name, bytes);
        if (real_write(trace, line, length) != length) abort();
    }
    if (kind == ENOSPC_ON && at >= 0 && index >= at) return ENOSPC_ON;
    if (index != at || kind == CUT_AT_ACK) return NOTHING;
    if (kind == KILL_BEFORE) die();
    if (kind == HANG) for (;;) pause();
    if (kind == CUT) cut_power();
    return kind;
}

static int refused(enum kind kind) {
    if (kind == ENOSPC_ONCE || kind == ENOSPC_ON) return ENOSPC;
    return kind == EIO_ONCE ? EIO : 0;
}

/* What a call answers that can only be done or not done. */
#define WHOLE(call, name, bytes, takes_room, act)                                                                   \
    do {                                                                                                            \
        enum kind what = strike(call, name, bytes);                                                                 \
        int error = refused(what);                                                                                  \
        if (error && (takes_room || error != ENOSPC)) {                                                             \
            errno = error;                                                                                          \
            return -1;                                                                                              \
        }                                                                                                           \
        int done = act;                                                                                             \
        if (what == KILL_AFTER || what == TORN) die();                                                              \
        return done;                                                                                                \
    } while (0)

/* --- the calls ------------------------------------------------------------------------------------------------------ */

/* A write; `offset` < 0: at the file's own place. */
static ssize_t put(int fd, const void *bytes, size_t length, off64_t offset) {
    return offset < 0 ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, offset);
}

static ssize_t faulty_write(int fd, const char *name, const char *bytes, size_t length, off64_t offset) {
    remember(fd, offset < 0 ? lseek64(fd, 0, SEEK_CUR) : offset, length);
    enum kind what = strike("write", name, length);
    int error = refused(what);
    if (error) {
        errno = error;
        return -1;
    }
    if (what == SHORT) return put(fd, bytes, length > 1 ? length / 2 : length, offset);
    if (what == TORN) {
        put(fd, bytes, length / 2, offset);
        die();
    }
    if (what == FLIP && length) {
        char *flipped = malloc(length);
        if (!flipped) abort();
        memcpy(flipped, bytes, length);
        /* Spread over the bytes by the index alone, so that a run can be repeated. */
        size_t bit = (size_t)at * 2654435761u % (length * 8);
        flipped[bit / 8] ^= 1 << bit % 8;
        ssize_t done = put(fd, flipped, length, offset);
        free(flipped);
        return done;
    }
    ssize_t done = put(fd, bytes, length, offset);
    if (what == KILL_AFTER) die();
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    char buffer[PATH_MAX];
    const char *name = inside_fd(fd, buffer);
    if (name) return faulty_write(fd, name, bytes, length, -1);
    ssize_t done = real_write(fd, bytes, length);
    if (fd == STDOUT_FILENO && kind == CUT_AT_ACK && length > 4 && !memcmp(bytes, "done", 4)
        && __atomic_add_fetch(&acks, 1, __ATOMIC_SEQ_CST) == at)
        cut_power();
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    char buffer[PATH_MAX];
    const char *name = inside_fd(fd, buffer);
    return name ? faulty_write(fd, name, bytes, length, offset) : real_pwrite(fd, bytes, length, offset);
}

static ssize_t faulty_read(int fd, const char *name, char *bytes, size_t length, off64_t offset) {
    enum kind what = strike("read", name, length);
    if (what == EIO_ONCE) {
        errno = EIO;
        return -1;
    }
    if (what == SHORT && length > 1) length /= 2;
    ssize_t done = offset < 0 ? real_read(fd, bytes, length) : real_pread(fd, bytes, length, offset);
    if (what == FLIP && done > 0) {
        size_t bit = (size_t)at * 2654435761u % ((size_t)done * 8);
        bytes[bit / 8] ^= 1 << bit % 8;
    }
    return done;
}

ssize_t read(int fd, void *bytes, size_t length) {
    char buffer[PATH_MAX];
    const char *name = inside_fd(fd, buffer);
    return name ? faulty_read(fd, name, bytes, length, -1) : real_read(fd, bytes, length);
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset) {
    char buffer[PATH_MAX];
    const char *name = inside_fd(fd, buffer);
    return name ? faulty_read(fd, name, bytes, length, offset) : real_pread(fd, bytes, length, offset);
}

static int faulty_sync(int fd, const char *call, const char *name, int (*sync)(int)) {
    enum kind what = strike(call, name, 0);
    if (what == EIO_ONCE || what == ENOSPC_ONCE) {
        settle(fd, 1);
        errno = refused(what);
        return -1;
    }
    if (no_sync && sync == real_fdatasync) return 0;
    int done = sync(fd);
    if (!done) settle(fd, 0);
    if (what == KILL_AFTER || what == TORN) die();
    return done;
}

static int sync_as_told(int fd, const char *call, int (*sync)(int)) {
    char buffer[PATH_MAX];
    const char *name = inside_fd(fd, buffer);
    if (!name) return sync(fd);
    int done = faulty_sync(fd, call, name, sync);
    return done && retry ? faulty_sync(fd, call, name, sync) : done;
}

int fsync(int fd) { return sync_as_told(fd, "fsync", real_fsync); }
int fdatasync(int fd) { return sync_as_told(fd, "fdatasync", real_fdatasync); }

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags) {
    char buffer[PATH_MAX];
    const char *name = inside_fd(fd, buffer);
    if (!name) return real_sync_file_range(fd, offset, length, flags);
    WHOLE("sync_file_range", name, length, 1, real_sync_file_range(fd, offset, length, flags));
}

int ftruncate64(int fd, off64_t length) {
    char buffer[PATH_MAX];
    const char *name = inside_fd(fd, buffer);
    if (!name) return real_ftruncate(fd, length);
    WHOLE("ftruncate", name, length, 1, real_ftruncate(fd, length));
}

int rename(const char *from, const char *to) {
    const char *name = inside(to);
    if (!name) return real_rename(from, to);
    WHOLE("rename", name, 0, 1, real_rename(from, to));
}

int unlink(const char *path) {
    const char *name = inside(path);
    if (!name) return real_unlink(path);
    /* Removing takes no room. */
    WHOLE("unlink", name, 0, 0, real_unlink(path));
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    const char *name = inside(path);
    if (!name || !(flags & O_CREAT)) return real_open(path, flags, mode);
    WHOLE("create", name, 0, access(path, F_OK) != 0, real_open(path, flags, mode));
}
