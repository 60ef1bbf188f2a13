/* Process 1 of a Pod sandbox and of the toolbox: holds the namespaces, reaps orphans, leaves on SIGTERM or SIGINT. */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

int main(void) {
    sigset_t awaited;
    int received = 0;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGCHLD);
    /* Blocked, not ignored: process 1 is sent only the signals it waits for. */
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0) { }
        if (sigwait(&awaited, &received) == 0 && received != SIGCHLD) return 0;
    }
}
