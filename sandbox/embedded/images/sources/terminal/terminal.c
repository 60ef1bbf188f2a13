/*
 * terminal COLS ROWS PROGRAM [ARGUMENT...]: a terminal that ends when its connection ends.
 *
 * An exec stream with a terminal of the runtime's own goes on for ever when the client hangs up (containerd 1.6:
 * nobody is told). Standard input, however, is seen to end. So this program makes the terminal itself: it runs
 * PROGRAM on a pty, copies the pty to standard output, and hangs up when standard input ends.
 *
 * Standard input is framed: one byte of kind, four bytes of length (big endian), the payload.
 *   'd' input for the pty      'r' new size: columns, rows (two bytes each, big endian)
 * The exit code is PROGRAM's, 128 + n when signal n ended it, 129 after a hang-up.
 *
 * Nothing here waits for one direction while the other has news, and nothing grows: output stays in the pty until
 * standard output takes it, and input that PROGRAM does not read is dropped after 256 kB, as a tty would.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_INPUT (256 * 1024)
#define MOST_OUTPUT (32 * 1024)
#define HUNG_UP 129
#define FAILED 126

static unsigned char input[MOST_INPUT]; /* typed, not yet taken by the pty */
static size_t input_length;
static unsigned char output[MOST_OUTPUT]; /* said, not yet taken by standard output */
static size_t output_length;
static int master;
static pid_t shell;
static volatile sig_atomic_t child_changed;

static struct {
    unsigned char header[5];
    size_t have;     /* bytes of the header */
    size_t left;     /* bytes of the payload still to come */
    unsigned char size[4];
    size_t size_have;
} frame;

static void on_child(int signal_number) {
    (void)signal_number;
    child_changed = 1;
}

static int fail(const char *what) {
    dprintf(2, "terminal: %s: %s\n", what, strerror(errno));
    return FAILED;
}

static void resize(unsigned columns, unsigned rows) {
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    ioctl(master, TIOCSWINSZ, &size);
}

/* Takes what was received apart; the payload of 'd' goes to the input, the rest of an unknown kind nowhere. */
static void take(const unsigned char *data, size_t length) {
    while (length > 0) {
        if (frame.have < sizeof frame.header) {
            frame.header[frame.have++] = *data++;
            length--;
            if (frame.have == sizeof frame.header) {
                frame.left = (size_t)frame.header[1] << 24 | (size_t)frame.header[2] << 16 |
                             (size_t)frame.header[3] << 8 | (size_t)frame.header[4];
                frame.size_have = 0;
                if (frame.left == 0) frame.have = 0;
            }
            continue;
        }
        size_t part = length < frame.left ? length : frame.left;
        if (frame.header[0] == 'd') {
            size_t room = MOST_INPUT - input_length, kept = part < room ? part : room;
            memcpy(input + input_length, data, kept);
            input_length += kept;
        } else if (frame.header[0] == 'r') {
            for (size_t i = 0; i < part && frame.size_have < sizeof frame.size; i++)
                frame.size[frame.size_have++] = data[i];
        }
        data += part;
        length -= part;
        frame.left -= part;
        if (frame.left == 0) {
            if (frame.header[0] == 'r' && frame.size_have == sizeof frame.size)
                resize((unsigned)frame.size[0] << 8 | frame.size[1], (unsigned)frame.size[2] << 8 | frame.size[3]);
            frame.have = 0;
        }
    }
}

/* Tells every process of the shell's session, background jobs too; those under nohup are meant to stay. */
static void hang_up_session(void) {
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid > 0 && getsid(pid) == shell) {
            kill(pid, SIGHUP);
            kill(pid, SIGCONT);
        }
    }
    if (proc != NULL) closedir(proc);
}

static int code_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Moves `length` bytes on; true while the descriptor is usable. */
static int flush(int descriptor, unsigned char *data, size_t *length) {
    ssize_t written = write(descriptor, data, *length);
    if (written < 0) return errno == EAGAIN || errno == EINTR;
    *length -= (size_t)written;
    memmove(data, data + written, *length);
    return 1;
}

static int start(char **program, unsigned columns, unsigned rows) {
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) return fail("no pty");
    resize(columns, rows);
    shell = fork();
    if (shell < 0) return fail("fork");
    if (shell == 0) {
        setsid();
        int slave = open(ptsname(master), O_RDWR); /* becomes the session's terminal */
        if (slave < 0) _exit(fail("no terminal"));
        for (int descriptor = 0; descriptor < 3; descriptor++) dup2(slave, descriptor);
        if (slave > 2) close(slave);
        signal(SIGPIPE, SIG_DFL);
        /* Whoever started us may ignore hang-ups (nohup): the shell and what it starts must not inherit that. */
        signal(SIGHUP, SIG_DFL);
        setenv("TERM", "xterm-256color", 1);
        execvp(program[0], program);
        dprintf(2, "terminal: %s: %s\n", program[0], strerror(errno));
        _exit(127);
    }
    return 0;
}

/* The last output of a program that has ended, within a second. */
static void drain(void) {
    for (int turn = 0; turn < 100; turn++) {
        if (output_length == 0) {
            ssize_t got = read(master, output, MOST_OUTPUT);
            if (got <= 0) return;
            output_length = (size_t)got;
        }
        struct pollfd out = {.fd = 1, .events = POLLOUT};
        if (poll(&out, 1, 10) < 0 && errno != EINTR) return;
        if (out.revents & POLLOUT && !flush(1, output, &output_length)) return;
    }
}

/* Until PROGRAM ends (its exit code) or the connection does (HUNG_UP). */
static int relay(const sigset_t *while_waiting) {
    static unsigned char received[16 * 1024];
    for (;;) {
        int status;
        if (child_changed) {
            child_changed = 0;
            if (waitpid(shell, &status, WNOHANG) == shell) {
                drain();
                return code_of(status);
            }
        }
        struct pollfd ways[3] = {
            {.fd = 0, .events = POLLIN},
            {.fd = master, .events = (short)((output_length == 0 ? POLLIN : 0) | (input_length > 0 ? POLLOUT : 0))},
            {.fd = output_length > 0 ? 1 : -1, .events = POLLOUT},
        };
        if (ppoll(ways, 3, NULL, while_waiting) < 0) {
            if (errno == EINTR) continue;
            return fail("poll");
        }
        if (ways[0].revents & (POLLIN | POLLHUP | POLLERR)) {
            ssize_t got = read(0, received, sizeof received);
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return HUNG_UP;
            if (got > 0) take(received, (size_t)got);
        }
        if (ways[1].revents & POLLOUT && input_length > 0) flush(master, input, &input_length);
        if (ways[1].revents & POLLIN && output_length == 0) {
            ssize_t got = read(master, output, MOST_OUTPUT);
            if (got > 0) output_length = (size_t)got;
        } else if (ways[1].revents & POLLHUP) {
            /* For ever so, once nobody holds the other end: now only the child's end counts. A wait that always
               has news lets no signal in, so ask. */
            child_changed = 1;
            usleep(10000);
        }
        if (output_length > 0 && ways[2].fd == 1 && ways[2].revents && !flush(1, output, &output_length)) return HUNG_UP;
    }
}

int main(int count, char **words) {
    if (count < 4) {
        dprintf(2, "usage: terminal COLS ROWS PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sigset_t child, before;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    struct sigaction action = {.sa_handler = on_child};
    sigaction(SIGCHLD, &action, NULL);
    int failed = start(words + 3, (unsigned)atoi(words[1]), (unsigned)atoi(words[2]));
    if (failed) return failed;
    /* Blocked except while waiting, so that a child's end between the look and the wait is not missed. */
    sigprocmask(SIG_BLOCK, &child, &before);
    child_changed = 1;
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
    int code = relay(&before);
    hang_up_session();
    close(master);
    return code;
}
