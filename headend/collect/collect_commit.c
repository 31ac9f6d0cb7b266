/* See collect_commit.h. */
#include "headend/collect/collect_commit.h"

#include <stdio.h>
#include <string.h>

enum err commit_queue_open(struct commit_queue *q, uv_loop_t *loop, const struct store_options *o,
                           char *why, size_t why_size)
{
    memset(q, 0, sizeof *q);
    q->loop = loop;
    q->tail = &q->waiting;
    return store_open(&q->store, o, why, why_size);
}

void commit_queue_close(struct commit_queue *q)
{
    store_close(q->store);
    q->store = NULL;
}

bool commit_is_store_failure(enum err err)
{
    return err == ERR_FULL || err == ERR_IO || err == ERR_BUSY;
}

/* ---- worker thread ---- */

static void set_result(struct commit_job *job, enum err err, const char *why)
{
    job->err = err;
    job->why[0] = '\0';
    if (err)
        snprintf(job->why, sizeof job->why, "%s", why[0] != '\0' ? why : err_text(err));
    if (err && job->spoiled != NULL)
        *job->spoiled = true;
}

static bool is_spoiled(const struct commit_job *job)
{
    return job->spoiled != NULL && *job->spoiled;
}

static void run_alone(struct store *s, struct commit_job *job)
{
    const enum err err = job->work(job, s);
    set_result(job, err, err ? store_why(s) : "");
}

static void run_one(struct store *s, struct commit_job *job)
{
    if (is_spoiled(job)) {
        set_result(job, ERR_STATE, "a write before it failed");
        return;
    }
    enum err err = store_begin(s);
    const bool begun = !err;
    if (!err)
        err = job->work(job, s);
    if (!err)
        err = store_commit(s, job->durable);
    set_result(job, err, err ? store_why(s) : ""); /* before rollback forgets the sentence */
    if (err && begun)
        store_rollback(s);
}

enum together { STORED, STORE_FAILS, ONE_FAILS };

static enum together run_together(struct store *s, struct commit_job *first)
{
    char why[COMMIT_WHY_MAX] = "";
    bool durable = false, content = false;
    enum err err = store_begin(s);
    const bool begun = !err;
    for (struct commit_job *j = first; j != NULL && !err; j = j->next) {
        if (j->alone)
            continue;
        durable = durable || j->durable;
        err = is_spoiled(j) ? ERR_STATE : j->work(j, s);
        content = err != ERR_OK && !commit_is_store_failure(err);
    }
    if (!err)
        err = store_commit(s, durable);
    if (err)
        snprintf(why, sizeof why, "%s", store_why(s));
    if (err && begun)
        store_rollback(s);
    if (content)
        return ONE_FAILS;
    for (struct commit_job *j = first; j != NULL; j = j->next)
        if (!j->alone)
            set_result(j, err, why);
    return err ? STORE_FAILS : STORED;
}

static void work(uv_work_t *work_)
{
    struct commit_queue *q = work_->data;
    bool any = false;
    for (struct commit_job *j = q->batch; j != NULL; j = j->next) {
        if (j->alone)
            run_alone(q->store, j);
        any = any || !j->alone;
    }
    if (!any || run_together(q->store, q->batch) != ONE_FAILS)
        return;
    for (struct commit_job *j = q->batch; j != NULL; j = j->next)
        if (!j->alone)
            run_one(q->store, j);
}

/* ---- loop thread ---- */

static void after(uv_work_t *work_, int status);

void commit_queue_start(struct commit_queue *q)
{
    struct commit_job **end = &q->waiting;
    if (q->running || q->waiting == NULL)
        return;
    for (size_t n = 0; *end != NULL && n < COMMIT_BATCH_MAX; n++)
        end = &(*end)->next;
    q->batch = q->waiting;
    q->waiting = *end;
    if (q->waiting == NULL)
        q->tail = &q->waiting;
    *end = NULL;
    q->work.data = q;
    q->running = true;
    (void)uv_queue_work(q->loop, &q->work, work, after); /* fails without a callback only */
}

static void after(uv_work_t *work_, int status)
{
    (void)status; /* nobody cancels it */
    struct commit_queue *q = work_->data;
    struct commit_job *batch = q->batch;
    q->batch = NULL;
    while (batch != NULL) { /* puts come back here: the worker is not started within */
        struct commit_job *job = batch;
        batch = job->next;
        q->n_open--;
        job->done(job);
    }
    q->running = false;
    commit_queue_start(q);
}

void commit_queue_put(struct commit_queue *q, struct commit_job *job)
{
    job->next = NULL;
    *q->tail = job;
    q->tail = &job->next;
    q->n_open++;
}
