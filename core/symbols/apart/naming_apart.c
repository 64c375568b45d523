#include "naming_apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "naming_writer.h"
#include "problem.h"

/* Forks with all signals blocked: none must come before the child has done with this
 * process's handlers. */
static pid_t fork_quietly(void)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child != 0)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    return child;
}

/* False: there is no child, and this is none. */
static bool start_child(struct asnap_apart *apart, struct asnap_frame_store *store)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t child = fork_quietly();
    if (child == 0) {
        apart->writer = asnap_naming_writer_begin(ends[1]);
        return true;
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return false;
    }
    apart->child = child;
    apart->reader = (struct asnap_naming_reader){.fd = ends[0], .store = store};
    return true;
}

/* The exit status of the child (wait(2)); 0 where it is not known. */
static int end_child(struct asnap_apart *apart)
{
    int status = 0;
    pid_t found;
    close(apart->reader.fd);
    asnap_naming_reader_deinit(&apart->reader);
    kill(apart->child, SIGKILL);
    do
        found = waitpid(apart->child, &status, 0);
    while (found < 0 && errno == EINTR);
    status = found == apart->child ? status : 0;
    apart->child = 0;
    return status;
}

void asnap_apart_end(struct asnap_apart *apart)
{
    if (asnap_apart_is_child(apart))
        _exit(0);
    if (apart->child != 0)
        end_child(apart);
}

static struct asnap_error *killed(const char *path)
{
    return asnap_error_create(
        ASNAP_ERROR_IO,
        "%s: the process that reads its debug information was killed (for "
        "want of memory?): some of its functions are named without lines; "
        "take another snapshot, or `snapshot symbolize` this one, to try again",
        path);
}

static struct asnap_error *too_much(const char *path, const char *how)
{
    return asnap_error_create(
        ASNAP_ERROR_DAMAGED,
        "%s: the process that read its debug information failed (%s): some of "
        "its functions are named without lines; build it anew, or look at it "
        "with dwarfdump",
        path, how);
}

struct asnap_error *asnap_apart_name(struct asnap_apart *apart, uint64_t module,
                                     const struct asnap_dwarf_source *source,
                                     struct asnap_frame_store *store, struct asnap_naming *namings,
                                     size_t count, struct asnap_naming_progress *progress,
                                     struct asnap_error **problem, bool *is_cut_short)
{
    *is_cut_short = false;
    if (!apart->is_wanted ||
        (apart->child == 0 && !asnap_apart_is_child(apart) && !start_child(apart, store)))
        return asnap_dwarf_name_file(source, store, namings, count, progress, problem);
    if (asnap_apart_is_child(apart)) {
        progress->progress = NULL; /* it is the other process's to report */
        asnap_naming_writer_write(apart->writer, module, source, store, namings, count);
        return NULL;
    }
    enum asnap_naming_outcome outcome;
    struct asnap_error *error = asnap_naming_reader_read(&apart->reader, module, namings, count,
                                                         progress, problem, &outcome);
    if (error != NULL || outcome == ASNAP_OUTCOME_ALL)
        return error;
    int status = end_child(apart);
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    *is_cut_short =
        outcome == ASNAP_OUTCOME_END && (signal_number == SIGKILL || signal_number == SIGTERM);
    if (*is_cut_short)
        return asnap_problem_keep(killed(source->file->path), problem);
    const char *how = outcome == ASNAP_OUTCOME_NONSENSE ? "it wrote nonsense, or too much"
                      : outcome == ASNAP_OUTCOME_MEMORY ? "it took too much memory"
                      : signal_number == 0              ? "it ended early"
                                                        : strsignal(signal_number);
    return asnap_problem_keep(too_much(source->file->path, how), problem);
}
