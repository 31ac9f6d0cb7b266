/* The pool never runs or holds more than it was told to, and loses nothing that it took. */
#include "headend/keys/hash_pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Jobs that wait at a gate; all under one lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static unsigned n_running, most_running, n_done;
static bool gate_open;

static void reset(bool open)
{
    n_running = most_running = n_done = 0;
    gate_open = open;
}

static void wait_at_gate(void *job)
{
    (void)job;
    pthread_mutex_lock(&lock);
    n_running++;
    most_running = n_running > most_running ? n_running : most_running;
    pthread_cond_broadcast(&moved);
    while (!gate_open)
        pthread_cond_wait(&moved, &lock);
    n_running--;
    n_done++;
    pthread_mutex_unlock(&lock);
}

static void await_running(unsigned n)
{
    pthread_mutex_lock(&lock);
    while (n_running < n)
        pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
}

static void open_gate(void)
{
    pthread_mutex_lock(&lock);
    gate_open = true;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static void hash_pool_refuses_beyond_its_queue(void **state)
{
    (void)state;
    struct hash_pool *p;
    reset(false);
    assert_int_equal(hash_pool_start(&p, 2, 3), ERR_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(hash_pool_add(p, wait_at_gate, NULL), ERR_OK);
    await_running(2); /* both threads are taken, the queue is empty */
    for (int i = 0; i < 3; i++)
        assert_int_equal(hash_pool_add(p, wait_at_gate, NULL), ERR_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(hash_pool_add(p, wait_at_gate, NULL), ERR_FULL);
    open_gate();
    hash_pool_stop(p);
    assert_int_equal(n_done, 5);
    assert_int_equal(most_running, 2);
}

static void hash_pool_runs_what_is_queued_before_it_ends(void **state)
{
    (void)state;
    struct hash_pool *p;
    reset(false);
    assert_int_equal(hash_pool_start(&p, 1, 64), ERR_OK);
    for (int i = 0; i < 64; i++)
        assert_int_equal(hash_pool_add(p, wait_at_gate, NULL), ERR_OK);
    open_gate();
    hash_pool_stop(p);
    assert_int_equal(n_done, 64);
}

static struct hash_pool *crowded;
static atomic_uint n_taken;

static void *crowd(void *context)
{
    (void)context;
    for (int i = 0; i < 2000; i++)
        if (hash_pool_add(crowded, wait_at_gate, NULL) == ERR_OK)
            atomic_fetch_add(&n_taken, 1);
    return NULL;
}

/* Many at once: what was taken is run exactly once, never more than the threads there are. */
static void hash_pool_loses_and_doubles_nothing(void **state)
{
    (void)state;
    pthread_t thread[4];
    reset(true);
    atomic_store(&n_taken, 0);
    assert_int_equal(hash_pool_start(&crowded, 3, 5), ERR_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, crowd, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    hash_pool_stop(crowded);
    assert_int_equal(n_done, atomic_load(&n_taken));
    assert_true(n_done > 0 && most_running <= 3);
}

static void hash_pool_needs_threads_and_room(void **state)
{
    (void)state;
    struct hash_pool *p;
    assert_int_equal(hash_pool_start(&p, 0, 1), ERR_RANGE);
    assert_int_equal(hash_pool_start(&p, 1, 0), ERR_RANGE);
    hash_pool_stop(NULL);
    assert_int_equal(hash_pool_start(&p, 4, 1), ERR_OK);
    hash_pool_stop(p); /* without a job */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_pool_refuses_beyond_its_queue),
        cmocka_unit_test(hash_pool_runs_what_is_queued_before_it_ends),
        cmocka_unit_test(hash_pool_loses_and_doubles_nothing),
        cmocka_unit_test(hash_pool_needs_threads_and_room),
    };
    return cmocka_run_group_tests_name("keys/hash_pool", tests, NULL, NULL);
}
