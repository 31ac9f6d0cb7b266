/* Child processes and a folder of one's own, gone without trace whatever ends the parent.
 *
 * Signals that end a program (INT, TERM, HUP) are held back from system_begin() on and only come
 * through inside system_poll(), so there is no moment at which a child or a file could be
 * forgotten. Children form process groups of their own (Ctrl-C is for the parent, which ends them
 * itself) and get SIGTERM from the kernel should the parent die without a word. Refuses to restart
 * what died. */
#ifndef FERRARIS_CLI_DEMO_SYSTEM_H
#define FERRARIS_CLI_DEMO_SYSTEM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SYSTEM_CHILDREN 12
#define SYSTEM_PATH     512
#define SYSTEM_LINE     512

struct demo_system;
struct demo_child {
    const char *name; /* for messages; outlives the child */
    pid_t pid;        /* 0: not running */
    int status;       /* as of waitpid, once it has ended */
    bool ended;
    int out, err;              /* pipes to read from; -1: closed */
    char line[SYSTEM_LINE];    /* of its stdout, being gathered */
    char message[SYSTEM_LINE]; /* its stderr's last line that is not empty */
    char gathering[SYSTEM_LINE];
    /* each whole line of its stdout, without the end; NULL: not wanted */
    void (*said)(void *context, struct demo_child *c, const char *line);
    void *context;
};

struct demo_system {
    char dir[SYSTEM_PATH]; /* empty: not made */
    sigset_t before;       /* signal mask of the caller */
    struct demo_child child[SYSTEM_CHILDREN];
    size_t n_children;
    bool interrupted; /* a signal asked for the end */
};

/* Holds signals back and makes the folder in $TMPDIR or /tmp. False: errno says why, nothing is
 * left. */
bool system_begin(struct demo_system *s, const char *prefix);
/* Starts a program; words end with NULL, words[0] is its path. Fill in name, said and context of
 * *how. NULL: errno. The child's place is never given to another. */
struct demo_child *system_start(struct demo_system *s, const struct demo_child *how,
                                const char *const *words);
/* Waits up to `ms` for something to happen, tells lines, notes ends. A child has `ended` only after
 * its last line was told. */
void system_poll(struct demo_system *s, int ms);
/* How a child ended, for a message: its last words, or its code. */
void system_epitaph(const struct demo_child *c, char *text, size_t size);
/* Ends all children (TERM, after some seconds KILL), waits for them, removes the folder with all in
 * it, lets signals through again. */
void system_end(struct demo_system *s);

#endif
