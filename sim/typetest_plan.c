/* Rows x model = points. See typetest_plan.h.
 *
 * Currents: in load curves 1, 2, 5 ... of the reference and of the maximum current within the
 * row's range, and its beginning; for influences the beginning, the reference current and the end.
 *
 * What we ask of ourselves (target_pct) is the limit of the row of table "target" for the same
 * test, quantity, power factor and place; a curve's point must lie within that row's currents, too.
 */
#include "sim/typetest_plan.h"
#include "sim/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI           3.14159265358979323846
#define CURRENTS_MAX 32
#define CLASSES_MAX  6
#define OWN          "target" /* the table that no standard asks for */

struct class_of { /* one way a model's accuracy is stated */
    const char *table;
    char class_name[12];
    char quantity; /* 0: both */
};

struct planner {
    const struct typetest_options *o;
    const struct model_meter *m;
    const struct typetest_rows *rows;
    struct typetest_plan *plan;
    size_t n_classes;
    struct class_of classes[CLASSES_MAX];
    const struct typetest_row *row;
    const struct class_of *class_of;
    size_t count[TYPETEST_N_TESTS]; /* points seen, for each n-th */
};

/* --- the model ------------------------------------------------------------------------------ */

uint8_t typetest_phases(const struct model_meter *m)
{
    if (m->n_phases == 1)
        return 1;
    if (m->is_3wire)
        return 5;
    return m->phases_used ? m->phases_used : 7;
}

static void add_class(struct planner *p, const char *table, struct span class_name, char quantity)
{
    if (p->n_classes == CLASSES_MAX || class_name.len >= sizeof p->classes[0].class_name)
        return;
    struct class_of *c = &p->classes[p->n_classes];
    *c = (struct class_of){.table = table, .quantity = quantity};
    memcpy(c->class_name, class_name.p, class_name.len);
    for (size_t i = 0; i < p->n_classes; i++) {
        if (strcmp(p->classes[i].table, table) == 0 &&
            strcmp(p->classes[i].class_name, c->class_name) == 0)
            return;
    }
    p->n_classes++;
}

/* Adds the classes of printed words: "1 (B)" is class 1 of IEC 62053-21 and class B of the MID. */
static void add_printed(struct planner *p, const char *printed)
{
    for (const char *s = printed; *s;) {
        size_t n = strspn(s, "0123456789.SABC");
        struct span word = {s, n};
        if (n == 1 && *s >= 'A' && *s <= 'C') {
            add_class(p, "50470-3", word, 'P');
            add_class(p, "MID", word, 'P');
        } else if (n > 0) {
            add_class(p, s[n - 1] == 'S' ? "62053-22" : "62053-21", word, 'P');
        }
        s += n + (n == 0);
    }
}

static const char *own_class(const struct planner *p)
{
    return p->o->ideal ? "ideal" : "calibrated";
}

static void classes_make(struct planner *p)
{
    const struct model_meter *m = p->m;
    add_class(p, m->active_table, (struct span){m->active_class, strlen(m->active_class)}, 'P');
    add_printed(p, m->active);
    if (m->features & MODEL_REACTIVE)
        add_class(p, m->reactive_table, (struct span){m->reactive_class, strlen(m->reactive_class)},
                  'Q');
    const char *own = own_class(p);
    add_class(p, OWN, (struct span){own, strlen(own)}, 0);
}

static double ist_of(const struct planner *p)
{
    bool own = p->row->quantity == 'Q' && p->m->ist_reactive_ua != 0;
    return (own ? p->m->ist_reactive_ua : p->m->ist_ua) / 1e6;
}

static double current_of(const struct planner *p, const struct typetest_current_of *c)
{
    const struct model_meter *m = p->m;
    char class_name = p->class_of->class_name[0];
    double ib = m->in_ma / 1e3, itr = ib / (m->is_ct ? 20 : 10);
    double imin = m->is_ct ? (class_name == 'A' ? 0.4 : 0.2) : class_name == 'C' ? 0.3 : 0.5;
    switch (c->of) {
    case TYPETEST_ITR:
        return c->factor * itr;
    case TYPETEST_IMIN:
        return c->factor * imin * itr;
    case TYPETEST_IMAX:
        return c->factor * m->imax_ma / 1e3;
    case TYPETEST_IST:
        return c->factor * ist_of(p);
    default:
        return c->factor * ib;
    }
}

static bool is_curve(enum typetest_test t)
{
    return t == TYPETEST_LOAD || t == TYPETEST_ONE_PHASE;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The currents of the row, rising. */
static size_t currents(const struct planner *p, double out[CURRENTS_MAX])
{
    static const double of_ib[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};
    static const double of_imax[] = {0.1, 0.2, 0.5, 1};
    const struct typetest_row *r = p->row;
    double from = current_of(p, &r->from), to = current_of(p, &r->to), all[CURRENTS_MAX];
    double imax = p->m->imax_ma / 1e3, ib = p->m->in_ma / 1e3;
    size_t n = 0, n_out = 0;
    bool curve = is_curve(r->test), closed = r->to.of == TYPETEST_IMAX;
    all[n++] = from;
    for (size_t i = 0; i < sizeof of_ib / sizeof *of_ib; i++) {
        if (curve || of_ib[i] == 1)
            all[n++] = of_ib[i] * ib;
    }
    for (size_t i = 0; i < sizeof of_imax / sizeof *of_imax; i++) {
        if (curve || of_imax[i] == 1)
            all[n++] = of_imax[i] * imax;
    }
    qsort(all, n, sizeof *all, by_value);
    for (size_t i = 0; i < n; i++) {
        bool inside = all[i] >= from * 0.9999 && (all[i] < to * 0.9999 || closed);
        if (from == to)
            inside = all[i] == from;
        inside = inside && all[i] <= imax * 1.0001;
        if (inside && (n_out == 0 || all[i] > out[n_out - 1] * 1.01))
            out[n_out++] = all[i];
    }
    return n_out;
}

/* --- the source ----------------------------------------------------------------------------- */

void typetest_signal_of(const struct model_meter *m, const struct typetest_load *l,
                        struct test_signal_spec *out)
{
    /* Element 1 of three wires: U12 is 30 degrees ahead of U1; element 3: U32 30 behind U3. */
    static const double star[3] = {0, -120, 120}, delta[3] = {30, 0, 90}, ahead[3] = {30, 0, -30};
    uint8_t phases = typetest_phases(m);
    bool balanced = l->loaded == phases;
    double un = m->un_mv / 1e3 * (m->is_3wire ? sqrt(3) : 1);
    *out = (struct test_signal_spec){
        .shape = l->shape, .f_hz = l->f_hz, .on_s = l->on_s, .off_s = l->off_s};
    for (unsigned p = 0; p < 3; p++) {
        double turn = l->reversed ? -1 : 1;
        if (!(phases >> p & 1))
            continue;
        out->present |= 1u << (AFE_U1 + p) | 1u << (AFE_I1 + p);
        out->u[p] = l->lost >> p & 1 ? 0 : l->u_rel * un;
        out->i[p] = l->loaded >> p & 1 ? l->i_a : 0;
        out->u_deg[p] = turn * (m->is_3wire ? delta[p] : star[p]);
        out->lag_deg[p] = l->phi_deg + (m->is_3wire && balanced ? turn * ahead[p] : 0);
        if (out->lag_deg[p] > 180)
            out->lag_deg[p] -= 360;
    }
    if (m->features & MODEL_NEUTRAL)
        out->present |= 1u << AFE_IN;
}

static double phi_of(char quantity, const struct typetest_pf *pf, bool exported)
{
    double phi = (quantity == 'P' ? acos(pf->pf) : asin(pf->pf)) * 180 / PI;
    if (strcmp(pf->kind, "cap") == 0)
        phi = -phi;
    phi += exported ? 180 : 0;
    return phi > 180 ? phi - 360 : phi;
}

static struct typetest_load load_of(const struct planner *p, double i_a, double phi_deg)
{
    struct typetest_load l;
    memset(&l, 0, sizeof l); /* padding, too: loads are compared by octets */
    l.u_rel = 1;
    l.f_hz = p->m->f_mhz / 1e3;
    l.celsius = TYPETEST_REFERENCE_C;
    l.i_a = i_a;
    l.phi_deg = phi_deg;
    l.loaded = typetest_phases(p->m);
    l.shape = TEST_SINE;
    return l;
}

/* --- what we ask of ourselves --------------------------------------------------------------- */

static bool has_place(const struct typetest_row *r, const struct typetest_place *place)
{
    for (size_t k = 0; place && k < r->n_places; k++) {
        const struct typetest_place *q = &r->place[k];
        if (q->end == place->end && q->value == place->value && q->to == place->to &&
            q->phases == place->phases)
            return true;
    }
    return r->n_places == 0;
}

static bool has_pf(const struct typetest_row *r, const struct typetest_pf *pf)
{
    for (size_t k = 0; k < r->n_pf; k++) {
        if (r->pf[k].pf == pf->pf && strcmp(r->pf[k].kind, pf->kind) == 0)
            return true;
    }
    return false;
}

static bool has_current(const struct planner *p, const struct typetest_row *r, double i_a)
{
    return i_a >= current_of(p, &r->from) * 0.999 && i_a <= current_of(p, &r->to) * 1.001;
}

/* 0: nothing. */
static double target_of(const struct planner *p, double i_a, const struct typetest_pf *pf,
                        const struct typetest_place *place)
{
    const struct typetest_row *of = p->row;
    if (strcmp(of->table, OWN) == 0)
        return of->limit;
    for (size_t i = 0; i < p->rows->n; i++) {
        const struct typetest_row *r = &p->rows->row[i];
        if (r->test == of->test && r->quantity == of->quantity && strcmp(r->table, OWN) == 0 &&
            strcmp(r->class_name, own_class(p)) == 0 && (p->m->is_ct ? r->ct : r->direct) &&
            has_pf(r, pf) && has_place(r, place) && (!is_curve(r->test) || has_current(p, r, i_a)))
            return r->limit;
    }
    return 0;
}

/* --- points --------------------------------------------------------------------------------- */

static enum err push(struct planner *p, const struct typetest_job *job)
{
    struct typetest_plan *plan = p->plan;
    size_t nth = p->count[job->point.test]++;
    if (p->o->every > 1 && nth % p->o->every != 0)
        return ERR_OK;
    if (plan->n == plan->size) {
        size_t size = plan->size ? 2 * plan->size : 512;
        struct typetest_job *q = realloc(plan->job, size * sizeof *q);
        if (!q)
            return ERR_MEMORY;
        plan->job = q;
        plan->size = size;
    }
    plan->job[plan->n++] = *job;
    return ERR_OK;
}

/* The ends that the model prints where the row has not got them anyway and they lie outside of the
 * usual +-10 %. */
static bool put_voltage(const struct planner *p, const struct typetest_place *place,
                        struct typetest_load *l)
{
    const struct model_meter *m = p->m;
    l->u_rel = place->value;
    if (place->end == 0)
        return true;
    l->u_rel = (place->end < 0 ? m->u_min_permille : m->u_max_permille) / 1e3;
    for (size_t i = 0; i < p->row->n_places; i++) {
        if (p->row->place[i].end == 0 && fabs(p->row->place[i].value - l->u_rel) < 1e-6)
            return false;
    }
    return l->u_rel > 0 && (l->u_rel < 0.9 || l->u_rel > 1.1);
}

/* The influence of the row at a place, or false where the model has no such point. */
static bool put_influence(const struct planner *p, const struct typetest_place *place,
                          struct typetest_job *job)
{
    const struct model_meter *m = p->m;
    struct typetest_load *l = &job->load;
    switch (p->row->test) {
    case TYPETEST_VOLTAGE:
        return put_voltage(p, place, l);
    case TYPETEST_FREQUENCY:
        l->f_hz *= place->value;
        return l->f_hz >= 42 && l->f_hz <= 69;
    case TYPETEST_FIFTH:
        l->shape = TEST_FIFTH;
        return true;
    case TYPETEST_PHASE_FIRED:
        l->shape = TEST_PHASE_FIRED;
        return true;
    case TYPETEST_BURST:
        l->shape = TEST_BURST;
        return true;
    case TYPETEST_HALF_WAVE: /* the row names its rms, the source the sine it is cut from */
        l->shape = TEST_HALF_WAVE;
        l->i_a *= sqrt(2);
        return true;
    case TYPETEST_SEQUENCE:
        l->reversed = 1;
        return m->n_phases > 1 && !m->phases_used;
    case TYPETEST_LOST_PHASES:
        l->lost = place->phases;
        return typetest_phases(m) == 7;
    case TYPETEST_FAST_LOAD:
        l->on_s = place->value;
        l->off_s = place->to;
        return true;
    default:
        return true;
    }
}

static void name_phases(struct typetest_point *point, uint8_t bits)
{
    char *to = point->phases;
    for (unsigned p = 0; p < 3; p++) {
        if (bits >> p & 1)
            *to++ = (char)('1' + p);
    }
    *to = '\0';
}

static void fill_point(const struct planner *p, const struct typetest_pf *pf,
                       struct typetest_job *job)
{
    struct typetest_point *q = &job->point;
    snprintf(q->table, sizeof q->table, "%s", p->row->table);
    q->test = p->row->test;
    q->quantity = p->row->quantity;
    q->i_rel = q->i_a / (p->m->in_ma / 1e3);
    q->pf = pf->pf;
    memcpy(q->pf_kind, pf->kind, sizeof q->pf_kind);
    q->u_rel = job->load.u_rel;
    q->f_hz = job->load.f_hz;
    q->celsius = job->load.celsius;
    q->limit_pct = p->row->limit;
    q->certain = p->row->certain;
    name_phases(q, job->load.lost ? (uint8_t)(typetest_phases(p->m) & ~job->load.lost)
                                  : job->load.loaded);
}

static double goal_of(const struct typetest_job *job)
{
    double of = job->point.target_pct > 0 ? job->point.target_pct : job->point.limit_pct / 10;
    bool varies = job->point.test >= TYPETEST_VOLTAGE || job->point.test == TYPETEST_DIFFERENCE;
    return of / 4 / (varies ? sqrt(2) : 1);
}

/* Temperature: one point for each stretch of some 15 K of the printed range. */
static enum err push_temperatures(struct planner *p, struct typetest_job *job)
{
    double from = p->m->t_min_c, to = p->m->t_max_c;
    if (!(to > from)) {
        from = -25;
        to = 55;
    }
    int n = (int)ceil((to - from) / 20);
    double step = (to - from) / n, goal = job->noise_goal_pct;
    for (int k = 0; k < n; k++) {
        job->reference.celsius = from + k * step;
        job->load.celsius = job->point.celsius = from + (k + 1) * step;
        job->noise_goal_pct = goal * step; /* %/K over the step */
        enum err err = push(p, job);
        if (err)
            return err;
    }
    return ERR_OK;
}

/* The band as far as the model prints it; false: outside. */
static bool put_band(const struct planner *p, const struct typetest_place *place,
                     struct typetest_job *job)
{
    double lo = p->m->t_min_c, hi = p->m->t_max_c;
    if (!(hi > lo)) {
        lo = -25;
        hi = 55;
    }
    job->from_c = fmax(lo, place->value);
    job->to_c = fmin(hi, place->to);
    job->point.celsius =
        fabs(job->from_c - TYPETEST_REFERENCE_C) > fabs(job->to_c - TYPETEST_REFERENCE_C)
            ? job->from_c
            : job->to_c;
    return job->to_c > job->from_c;
}

static enum err push_point(struct planner *p, struct typetest_job *job,
                           const struct typetest_pf *pf, const struct typetest_place *place)
{
    enum typetest_test test = p->row->test;
    if (!put_influence(p, place, job))
        return ERR_OK;
    fill_point(p, pf, job);
    job->point.target_pct = target_of(p, job->point.i_a, pf, place);
    job->noise_goal_pct = goal_of(job);
    if (test == TYPETEST_TEMPERATURE)
        return push_temperatures(p, job);
    if (test == TYPETEST_COMPOSITE && !put_band(p, place, job))
        return ERR_OK;
    return push(p, job);
}

/* A current and power factor: both directions of curves and starting, each phase of one. */
static enum err push_current(struct planner *p, double i_a, const struct typetest_pf *pf,
                             const struct typetest_place *place)
{
    enum typetest_test test = p->row->test;
    uint8_t phases = typetest_phases(p->m);
    bool below = is_curve(test) && i_a * pf->pf < ist_of(p) * 0.999;
    if (below && strcmp(p->row->table, OWN) != 0)
        return ERR_OK; /* below its starting power a meter shall not count */
    bool both = (is_curve(test) || test == TYPETEST_STARTING) && p->m->features & MODEL_EXPORT;
    for (unsigned exported = 0; exported <= both; exported++) {
        for (unsigned k = 0; k < (p->row->one_phase ? 3u : 1u); k++) {
            struct typetest_job job = {.reference =
                                           load_of(p, i_a, phi_of(p->row->quantity, pf, exported))};
            if (p->row->one_phase && !(phases >> k & 1))
                continue;
            job.load = job.reference;
            job.load.sensitive = below;
            job.point.i_a = i_a;
            job.point.exported = exported;
            if (p->row->one_phase)
                job.load.loaded = (uint8_t)(1u << k);
            enum err err = push_point(p, &job, pf, place);
            if (err)
                return err;
        }
    }
    return ERR_OK;
}

static enum err push_no_load(struct planner *p)
{
    const struct typetest_place *place = &p->row->place[0];
    const struct model_meter *m = p->m;
    struct typetest_job job = {.load = load_of(p, 0, 0)};
    double u = m->un_mv / 1e3 * (m->is_3wire ? sqrt(3) : 1), n = 0;
    double i = current_of(p, &(struct typetest_current_of){place->current, 1});
    for (unsigned k = 0; k < 3; k++)
        n += typetest_phases(m) >> k & 1;
    job.load.u_rel = 1.15;
    u *= place->current == TYPETEST_IST ? job.load.u_rel : 1;
    job.minutes = place->value / (m->pulse_per_kwh * n * u * i);
    fill_point(p, &p->row->pf[0], &job);
    return push(p, &job);
}

static enum err push_row(struct planner *p)
{
    const struct typetest_row *r = p->row;
    double current[CURRENTS_MAX];
    if (r->test == TYPETEST_NO_LOAD)
        return push_no_load(p);
    size_t n = currents(p, current);
    for (size_t f = 0; f < r->n_pf; f++) {
        for (size_t k = 0; k < (r->n_places ? r->n_places : 1); k++) {
            for (size_t i = 0; i < n; i++) {
                enum err err =
                    push_current(p, current[i], &r->pf[f], r->n_places ? &r->place[k] : NULL);
                if (err)
                    return err;
            }
        }
    }
    return ERR_OK;
}

/* --- rows ----------------------------------------------------------------------------------- */

/* Whether a comma-separated list has the name; every list does that is NULL. */
static bool listed(const char *list, const char *name)
{
    struct span rest = {list, list ? strlen(list) : 0}, s;
    while (list && text_field(&rest, ',', &s)) {
        if (text_is(s, name))
            return true;
    }
    return !list;
}

static enum err only_check(const char *list, const struct fault *f)
{
    struct span rest = {list, list ? strlen(list) : 0}, s;
    char names[300] = "";
    size_t len = 0;
    while (list && text_field(&rest, ',', &s)) {
        bool known = false;
        for (int t = 0; t < TYPETEST_N_TESTS; t++)
            known |= text_is(s, typetest_test_name((enum typetest_test)t));
        for (int t = 0; !known && t < TYPETEST_N_TESTS; t++)
            len += (size_t)snprintf(names + len, sizeof names - len, " %s",
                                    typetest_test_name((enum typetest_test)t));
        if (!known)
            return fault_set(f, ERR_RANGE, "\"%.*s\" is no test; there are%s", (int)s.len, s.p,
                             names);
    }
    return ERR_OK;
}

static void note_beyond(struct typetest_plan *plan, const char *what)
{
    size_t n = strlen(plan->beyond);
    if (strstr(plan->beyond, what) == NULL && n + strlen(what) + 3 < sizeof plan->beyond)
        snprintf(plan->beyond + n, sizeof plan->beyond - n, "%s%s", n ? ", " : "", what);
}

static bool applies(const struct planner *p, const struct typetest_row *r, const struct class_of *c)
{
    const struct model_meter *m = p->m;
    if (strcmp(r->table, c->table) != 0 || strcmp(r->class_name, c->class_name) != 0)
        return false;
    if (c->quantity != 0 && c->quantity != r->quantity)
        return false;
    if (r->quantity == 'Q' && !(m->features & MODEL_REACTIVE))
        return false;
    bool needs_phases = r->one_phase || r->test == TYPETEST_DIFFERENCE;
    bool many = (typetest_phases(m) & (typetest_phases(m) - 1)) != 0;
    return (m->is_ct ? r->ct : r->direct) && (!needs_phases || many);
}

static enum err push_rows(struct planner *p, bool *any)
{
    for (size_t c = 0; c < p->n_classes; c++) {
        for (size_t i = 0; i < p->rows->n; i++) {
            const struct typetest_row *r = &p->rows->row[i];
            p->class_of = &p->classes[c];
            p->row = r;
            if (!applies(p, r, p->class_of))
                continue;
            *any |= c == 0;
            if (r->beyond)
                note_beyond(p->plan, r->beyond);
            else if (listed(p->o->only, typetest_test_name(r->test))) {
                enum err err = push_row(p);
                if (err)
                    return err;
            }
        }
    }
    return ERR_OK;
}

enum err typetest_plan_make(const struct typetest_options *o, const struct typetest_rows *rows,
                            struct typetest_plan *out, const struct fault *f)
{
    struct planner p = {.o = o, .m = o->model, .rows = rows, .plan = out};
    bool any = false;
    *out = (struct typetest_plan){0};
    snprintf(out->active, sizeof out->active, "%s", o->model->active);
    snprintf(out->reactive, sizeof out->reactive, "%s", o->model->reactive);
    enum err err = only_check(o->only, f);
    if (err)
        return err;
    classes_make(&p);
    err = push_rows(&p, &any);
    if (err)
        return fault_set(f, err, "%s", err_text(err));
    if (!any)
        return fault_set(f, ERR_NOT_FOUND, "no rows for class %s of %s", p.classes[0].class_name,
                         p.classes[0].table);
    return ERR_OK;
}

void typetest_plan_free(struct typetest_plan *p)
{
    free(p->job);
    *p = (struct typetest_plan){0};
}
