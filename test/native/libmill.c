/*
 * libmill for a real CPU, on the libc and the clock of the machine it runs on: what the programs of fixtures/c are
 * linked with here, so that it shows what they do apart from millscope. Written from libmill's binary interface and
 * its scheduling rules, not from the TypeScript. The switch is that of libmill.h.
 */

#define MILL_USE_PREFIX
#include "libmill.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Lists: singly linked queues, and rings that an item can leave from anywhere. */

struct slist_item {
    struct slist_item *next;
};

struct slist {
    struct slist_item *first, *last;
};

struct list_item {
    struct list_item *next, *prev;
};

struct list {
    struct list_item *first, *last;
};

#define CONTAINER(item, type, member) ((type *)((char *)(item)-offsetof(type, member)))

static void slist_push_back(struct slist *self, struct slist_item *item)
{
    item->next = NULL;
    if (self->last) self->last->next = item;
    else self->first = item;
    self->last = item;
}

static struct slist_item *slist_pop(struct slist *self)
{
    struct slist_item *item = self->first;
    if (!item) return NULL;
    self->first = item->next;
    if (!self->first) self->last = NULL;
    return item;
}

/* Before `next`, or at the end if that is NULL. */
static void list_insert(struct list *self, struct list_item *item, struct list_item *next)
{
    item->next = next;
    item->prev = next ? next->prev : self->last;
    if (item->prev) item->prev->next = item;
    else self->first = item;
    if (next) next->prev = item;
    else self->last = item;
}

static void list_erase(struct list *self, struct list_item *item)
{
    if (item->prev) item->prev->next = item->next;
    else self->first = item->next;
    if (item->next) item->next->prev = item->prev;
    else self->last = item->prev;
}

/* libmill's structures. */

enum state { READY, MSLEEP, FDWAIT, CHR, CHS, CHOOSE };

struct timer {
    struct list_item item;
    int64_t expiry; /* -1 while it is not armed */
    void (*callback)(struct timer *);
};

struct debug_cr {
    struct list_item item;
    int id;
    const char *created, *current;
};

struct debug_chan {
    struct list_item item;
    int id;
    const char *created;
};

struct choosedata {
    struct slist clauses;
    int othws;
    int64_t ddline; /* -1 for none */
    int available;
};

struct cr {
    enum state state;
    int is_ready;
    struct slist_item ready; /* valid while is_ready is 1 */
    struct timer timer;
    int fd; /* valid while it waits for a descriptor, else -1 */
    int events;
    struct choosedata choosedata;
    uint64_t ctx[10]; /* valid while it is not running */
    int result;
    void *valbuf; /* for values that are larger than the room below this structure */
    size_t valbuf_sz;
    void *clsval;
    struct debug_cr debug;
};

struct ep {
    enum { SENDER, RECEIVER } type;
    int seqnum; /* of the choose statement that refs and tmp are about */
    int refs;
    int tmp; /* how many more of its clauses to pass by; -1: not drawn yet, -2: one has been taken */
    struct list clauses;
};

struct mill_chan_ {
    size_t sz;
    struct ep sender, receiver;
    int refcount, done;
    size_t bufsz, items, first;
    struct debug_chan debug;
    char elements[]; /* bufsz of them, and the one of chdone() */
};

struct clause {
    struct list_item epitem; /* valid while it waits */
    struct slist_item chitem;
    struct cr *cr;
    struct ep *ep;
    void *val;
    int idx, available, used;
};

_Static_assert(offsetof(struct cr, ctx) == 96, "ctx");
_Static_assert(sizeof(struct cr) == 248, "mill_cr");
_Static_assert(sizeof(struct mill_chan_) == 136, "mill_chan_");
_Static_assert(sizeof(struct clause) == 64 && MILL_CLAUSELEN_ == 64, "mill_clause");

enum { PAGE = 4096, MAIN_VALBUF = 128, SWITCHES_WITHOUT_A_WAIT = 103 };

volatile int mill_unoptimisable1_ = 1;
volatile void *mill_unoptimisable2_;

static struct cr main_cr = {.timer = {.expiry = -1}, .fd = -1};
static _Alignas(16) char main_valbuf[MAIN_VALBUF];
static struct cr *running = &main_cr;
static struct slist ready, cached_stacks;
static struct list timers, all_crs = {&main_cr.debug.item, &main_cr.debug.item}, all_chans;
static size_t valbuf_size = 128, stack_size = 256 * 1024 - 256;
static int num_cached, max_cached = 64, next_cr_id = 1, next_chan_id = 1, seqnum, switches, tracing;

static _Noreturn void panic(const char *text)
{
    fprintf(stderr, "panic: %s\n", text);
    abort();
}

/* Writes "==> time {id} text at file:line". */
__attribute__((format(printf, 2, 3))) static void trace(const char *where, const char *format, ...)
{
    if (tracing <= 0) return;
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    struct tm day;
    localtime_r(&time.tv_sec, &day);
    fprintf(stderr, "==> %02d:%02d:%02d.%06ld {%d}    ", day.tm_hour, day.tm_min, day.tm_sec, time.tv_nsec / 1000,
            running->debug.id);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    if (where) fprintf(stderr, " at %s", where);
    fputc('\n', stderr);
}

/* Stacks, each named by the address behind its block, and kept for reuse: first freed, first reused. */

static size_t block_size(void)
{
    return (stack_size + PAGE - 1) / PAGE * PAGE + PAGE;
}

static void *map_stack(void)
{
    char *block = mmap(NULL, block_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED) return NULL;
    mprotect(block, PAGE, PROT_NONE);
    return block + block_size();
}

static void *allocate_stack(void)
{
    struct slist_item *item = slist_pop(&cached_stacks);
    if (item) {
        num_cached--;
        return item + 1;
    }
    void *stack = map_stack();
    if (!stack) panic("not enough memory to allocate coroutine stack");
    return stack;
}

static void release_oldest_stack(void)
{
    char *stack = (char *)(slist_pop(&cached_stacks) + 1);
    munmap(stack - block_size(), block_size());
}

/* The running stack may be the one that is freed, so what is unmapped has to be another. */
static void free_stack(void *stack)
{
    slist_push_back(&cached_stacks, (struct slist_item *)stack - 1);
    if (num_cached < max_cached) num_cached++;
    else release_oldest_stack();
}

void mill_goprepare_(int count, size_t stack, size_t val)
{
    if (all_crs.first != all_crs.last) {
        errno = EAGAIN;
        return;
    }
    while (cached_stacks.first) release_oldest_stack();
    valbuf_size = (val + 15) / 16 * 16;
    stack_size = stack + valbuf_size + sizeof(struct cr);
    errno = 0;
    for (num_cached = 0; num_cached < count; num_cached++) {
        void *fresh = map_stack();
        if (!fresh) {
            errno = ENOMEM;
            break;
        }
        slist_push_back(&cached_stacks, (struct slist_item *)fresh - 1);
    }
    max_cached = num_cached;
}

/* Time and descriptors. */

int64_t mill_now_(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void resume(struct cr *cr, int result)
{
    cr->result = result;
    cr->state = READY;
    cr->is_ready = 1;
    slist_push_back(&ready, &cr->ready);
}

/* Behind those with the same expiry. */
static void arm(struct timer *timer, int64_t expiry, void (*callback)(struct timer *))
{
    struct list_item *next = timers.first;
    while (next && CONTAINER(next, struct timer, item)->expiry <= expiry) next = next->next;
    timer->expiry = expiry;
    timer->callback = callback;
    list_insert(&timers, &timer->item, next);
}

static void disarm(struct timer *timer)
{
    if (timer->expiry < 0) return;
    list_erase(&timers, &timer->item);
    timer->expiry = -1;
}

static int fire_timers(void)
{
    int64_t time = mill_now_();
    int fired = 0;
    while (timers.first) {
        struct timer *timer = CONTAINER(timers.first, struct timer, item);
        if (timer->expiry > time) break;
        disarm(timer);
        timer->callback(timer);
        fired = 1;
    }
    return fired;
}

static struct cr *cr_of(struct list_item *item)
{
    return CONTAINER(item, struct cr, debug.item);
}

static int milliseconds_to_next_timer(void)
{
    if (!timers.first) return -1;
    int64_t left = CONTAINER(timers.first, struct timer, item)->expiry - mill_now_();
    return left < 0 ? 0 : (int)left;
}

/* Resumes all whose time or descriptor has come; if it may block, waits until there is one. */
static void wait_for_events(int block)
{
    struct pollfd polled[64];
    struct cr *waiting[64];
    nfds_t count = 0;
    for (struct list_item *it = all_crs.first; it && count < 64; it = it->next) {
        struct cr *cr = cr_of(it);
        if (cr->fd < 0) continue;
        short events = (short)((cr->events & MILL_FDW_IN ? POLLIN : 0) | (cr->events & MILL_FDW_OUT ? POLLOUT : 0));
        polled[count] = (struct pollfd){.fd = cr->fd, .events = events};
        waiting[count++] = cr;
    }
    if (block && count == 0 && !timers.first) {
        fputs("deadlock: everybody waits, and nothing can wake them\n", stderr);
        exit(3);
    }
    do {
        poll(polled, count, block ? milliseconds_to_next_timer() : 0);
        fire_timers();
        for (nfds_t i = 0; i < count; i++) {
            short events = polled[i].revents;
            if (!events || waiting[i]->fd < 0) continue;
            int result = (events & POLLIN ? MILL_FDW_IN : 0) | (events & POLLOUT ? MILL_FDW_OUT : 0) |
                         (events & (POLLERR | POLLHUP | POLLNVAL) ? MILL_FDW_ERR : 0);
            disarm(&waiting[i]->timer);
            waiting[i]->fd = -1;
            resume(waiting[i], result);
        }
    } while (block && !ready.first);
}

/* Coroutines. */

mill_ctx mill_getctx_(void)
{
    return running->ctx;
}

/* Saves the running coroutine, if there is one, and runs the next; returns what it was resumed with. */
static int suspend(void)
{
    if (switches >= SWITCHES_WITHOUT_A_WAIT) {
        wait_for_events(0);
        switches = 0;
    }
    if (running && mill_setjmp_(running->ctx)) return running->result;
    while (!ready.first) {
        wait_for_events(1);
        switches = 0;
    }
    switches++;
    running = CONTAINER(slist_pop(&ready), struct cr, ready);
    running->is_ready = 0;
    mill_longjmp_(running->ctx);
    __builtin_unreachable();
}

void *mill_prologue_(const char *created)
{
    struct cr *cr = (struct cr *)allocate_stack() - 1;
    *cr = (struct cr){.timer = {.expiry = -1}, .fd = -1, .debug = {.id = next_cr_id++, .created = created}};
    list_insert(&all_crs, &cr->debug.item, NULL);
    trace(created, "{%d}=go()", cr->debug.id);
    resume(running, 0);
    running = cr;
    return (char *)cr - valbuf_size;
}

void mill_epilogue_(void)
{
    trace(NULL, "go() done");
    list_erase(&all_crs, &running->debug.item);
    free(running->valbuf);
    free_stack(running + 1);
    running = NULL;
    suspend();
}

void mill_yield_(const char *current)
{
    trace(current, "yield()");
    running->debug.current = current;
    resume(running, 0);
    suspend();
}

static void time_has_come(struct timer *timer)
{
    struct cr *cr = CONTAINER(timer, struct cr, timer);
    cr->fd = -1;
    resume(cr, 0);
}

int mill_fdwait_(int fd, int events, int64_t deadline, const char *current)
{
    trace(current, fd < 0 ? "msleep()" : "fdwait(%d)", fd);
    running->debug.current = current;
    running->state = fd < 0 ? MSLEEP : FDWAIT;
    running->fd = fd;
    running->events = events;
    if (deadline >= 0) arm(&running->timer, deadline, time_has_come);
    return suspend();
}

void mill_msleep_(int64_t deadline, const char *current)
{
    mill_fdwait_(-1, 0, deadline, current);
}

void mill_fdclean_(int fd)
{
    for (struct list_item *it = all_crs.first; it; it = it->next)
        if (cr_of(it)->fd == fd) panic("descriptor is still waited for");
}

void *mill_cls_(void)
{
    return running->clsval;
}

void mill_setcls_(void *val)
{
    running->clsval = val;
}

pid_t mill_mfork_(void)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    ready = (struct slist){NULL, NULL};
    timers = (struct list){NULL, NULL};
    all_crs = (struct list){NULL, NULL};
    list_insert(&all_crs, &running->debug.item, NULL);
    return 0;
}

/* Channels. */

/* Where a coroutine receives a value: in the room below its structure, or in memory of its own. */
static void *valbuf(struct cr *cr, size_t sz)
{
    if (cr == &main_cr && sz <= MAIN_VALBUF) return main_valbuf;
    if (cr != &main_cr && sz <= valbuf_size) return (char *)cr - valbuf_size;
    if (cr->valbuf_sz < sz) {
        void *larger = realloc(cr->valbuf, sz);
        if (!larger) panic("not enough memory to receive from channel");
        cr->valbuf = larger;
        cr->valbuf_sz = sz;
    }
    return cr->valbuf;
}

static struct mill_chan_ *chan_of(struct ep *ep)
{
    return ep->type == SENDER ? CONTAINER(ep, struct mill_chan_, sender) : CONTAINER(ep, struct mill_chan_, receiver);
}

static struct clause *first_waiting(struct ep *ep)
{
    return ep->clauses.first ? CONTAINER(ep->clauses.first, struct clause, epitem) : NULL;
}

static void *element(struct mill_chan_ *ch, size_t index)
{
    return ch->elements + index * ch->sz;
}

static void check(struct mill_chan_ *ch)
{
    if (!ch) panic("null channel used");
}

struct mill_chan_ *mill_chmake_(size_t sz, size_t bufsz, const char *created)
{
    struct mill_chan_ *ch = malloc(sizeof *ch + sz * (bufsz + 1));
    if (!ch) return NULL;
    *ch = (struct mill_chan_){.sz = sz, .bufsz = bufsz, .refcount = 1};
    ch->sender.type = SENDER;
    ch->receiver.type = RECEIVER;
    ch->debug.id = next_chan_id++;
    ch->debug.created = created;
    list_insert(&all_chans, &ch->debug.item, NULL);
    trace(created, "<%d>=chmake(%zu)", ch->debug.id, bufsz);
    return ch;
}

struct mill_chan_ *mill_chdup_(struct mill_chan_ *ch, const char *created)
{
    check(ch);
    trace(created, "chdup(<%d>)", ch->debug.id);
    ch->refcount++;
    return ch;
}

void mill_chclose_(struct mill_chan_ *ch, const char *current)
{
    check(ch);
    trace(current, "chclose(<%d>)", ch->debug.id);
    if (--ch->refcount) return;
    if (ch->sender.clauses.first || ch->receiver.clauses.first)
        panic("attempt to close a channel while it is still being used");
    list_erase(&all_chans, &ch->debug.item);
    free(ch);
}

/* Takes all clauses of a choose statement out of their channels. */
static void leave_channels(struct cr *cr)
{
    for (struct slist_item *it = cr->choosedata.clauses.first; it; it = it->next) {
        struct clause *clause = CONTAINER(it, struct clause, chitem);
        if (clause->used) list_erase(&clause->ep->clauses, &clause->epitem);
    }
}

static void unblock(struct clause *clause)
{
    leave_channels(clause->cr);
    disarm(&clause->cr->timer);
    resume(clause->cr, clause->idx);
}

static void deadline_has_come(struct timer *timer)
{
    struct cr *cr = CONTAINER(timer, struct cr, timer);
    leave_channels(cr);
    resume(cr, -1);
}

static void begin(enum state state, const char *current)
{
    running->state = state;
    running->debug.current = current;
    running->choosedata = (struct choosedata){.ddline = -1};
    seqnum++;
}

/* Records a clause, unless it is not ready and another one is. */
static void add_clause(struct clause *clause, struct ep *ep, void *val, int idx, int available)
{
    struct choosedata *data = &running->choosedata;
    data->available += available;
    if (!available && data->available) return;
    *clause = (struct clause){.cr = running, .ep = ep, .val = val, .idx = idx, .available = available};
    slist_push_back(&data->clauses, &clause->chitem);
    if (ep->seqnum != seqnum) {
        ep->seqnum = seqnum;
        ep->refs = 0;
        ep->tmp = -1;
    }
    ep->refs++;
}

void mill_choose_init_(const char *current)
{
    trace(current, "choose()");
    begin(CHOOSE, current);
}

void mill_choose_in_(void *clause, struct mill_chan_ *ch, size_t sz, int idx)
{
    check(ch);
    if (ch->sz != sz) panic("receive of a type not matching the channel");
    add_clause(clause, &ch->receiver, NULL, idx, ch->done || ch->items || ch->sender.clauses.first);
}

void mill_choose_out_(void *clause, struct mill_chan_ *ch, void *val, size_t sz, int idx)
{
    check(ch);
    if (ch->done) panic("send to done-with channel");
    if (ch->sz != sz) panic("send of a type not matching the channel");
    add_clause(clause, &ch->sender, val, idx, ch->receiver.clauses.first || ch->items < ch->bufsz);
}

static void only_one_else(void)
{
    if (running->choosedata.othws || running->choosedata.ddline >= 0)
        panic("multiple 'otherwise' or 'deadline' clauses in a choose statement");
}

void mill_choose_deadline_(int64_t deadline)
{
    only_one_else();
    if (deadline >= 0) running->choosedata.ddline = deadline;
}

void mill_choose_otherwise_(void)
{
    only_one_else();
    running->choosedata.othws = 1;
}

static void enqueue(struct mill_chan_ *ch, const void *val)
{
    struct clause *receiver = first_waiting(&ch->receiver);
    if (receiver) {
        memcpy(valbuf(receiver->cr, ch->sz), val, ch->sz);
        unblock(receiver);
        return;
    }
    memcpy(element(ch, (ch->first + ch->items++) % ch->bufsz), val, ch->sz);
}

static void dequeue(struct mill_chan_ *ch, void *val)
{
    struct clause *sender = first_waiting(&ch->sender);
    if (!ch->items) {
        memcpy(val, sender ? sender->val : element(ch, ch->bufsz), ch->sz);
    } else {
        memcpy(val, element(ch, ch->first), ch->sz);
        ch->first = (ch->first + 1) % ch->bufsz;
        ch->items--;
        if (sender) memcpy(element(ch, (ch->first + ch->items++) % ch->bufsz), sender->val, ch->sz);
    }
    if (sender) unblock(sender);
}

/* The nth of the clauses that are ready. */
static struct clause *available_clause(int n)
{
    struct slist_item *it = running->choosedata.clauses.first;
    while (!CONTAINER(it, struct clause, chitem)->available || n-- > 0) it = it->next;
    return CONTAINER(it, struct clause, chitem);
}

/* Registers all clauses with their channels: of those of one endpoint only one, drawn at random. */
static void enter_channels(void)
{
    for (struct slist_item *it = running->choosedata.clauses.first; it; it = it->next) {
        struct clause *clause = CONTAINER(it, struct clause, chitem);
        struct ep *ep = clause->ep;
        if (ep->tmp == -1) ep->tmp = (int)(random() % ep->refs);
        clause->used = ep->tmp == 0;
        if (ep->tmp > 0) ep->tmp--;
        else ep->tmp = -2;
        if (clause->used) list_insert(&ep->clauses, &clause->epitem, NULL);
    }
}

int mill_choose_wait_(void)
{
    struct choosedata *data = &running->choosedata;
    if (data->available) {
        struct clause *clause = available_clause((int)(random() % data->available));
        struct mill_chan_ *ch = chan_of(clause->ep);
        if (clause->ep->type == SENDER) enqueue(ch, clause->val);
        else dequeue(ch, valbuf(running, ch->sz));
        resume(running, clause->idx);
    } else if (data->othws) {
        resume(running, -1);
    } else {
        if (data->ddline >= 0) arm(&running->timer, data->ddline, deadline_has_come);
        enter_channels();
    }
    return suspend();
}

void *mill_choose_val_(size_t sz)
{
    return valbuf(running, sz);
}

void mill_chs_(struct mill_chan_ *ch, void *val, size_t sz, const char *current)
{
    check(ch);
    trace(current, "chs(<%d>)", ch->debug.id);
    begin(CHS, current);
    struct clause clause;
    mill_choose_out_(&clause, ch, val, sz, 0);
    mill_choose_wait_();
}

void *mill_chr_(struct mill_chan_ *ch, size_t sz, const char *current)
{
    check(ch);
    trace(current, "chr(<%d>)", ch->debug.id);
    begin(CHR, current);
    struct clause clause;
    mill_choose_in_(&clause, ch, sz, 0);
    mill_choose_wait_();
    return mill_choose_val_(sz);
}

void mill_chdone_(struct mill_chan_ *ch, void *val, size_t sz, const char *current)
{
    check(ch);
    trace(current, "chdone(<%d>)", ch->debug.id);
    if (ch->done) panic("chdone on already done-with channel");
    if (ch->sz != sz) panic("send of a type not matching the channel");
    if (ch->sender.clauses.first) panic("send to done-with channel");
    ch->done = 1;
    memcpy(element(ch, ch->bufsz), val, sz);
    while (ch->receiver.clauses.first) enqueue(ch, val);
}

/* Debugging. The table says less than libmill's: not which channels or descriptors somebody waits for. */

void gotrace(int level)
{
    tracing = level;
}

void goredump(void)
{
    static const char *const states[] = {"ready", "msleep()", "fdwait()", "chr()", "chs()", "choose()"};
    fputs("\nCOROUTINE  state      current                                  created\n", stderr);
    for (struct list_item *it = all_crs.first; it; it = it->next) {
        struct cr *cr = cr_of(it);
        fprintf(stderr, "{%d}        %-10s %-40s %s\n", cr->debug.id, cr == running ? "RUNNING" : states[cr->state],
                cr == running ? "---" : cr->debug.current, cr == &main_cr ? "<main>" : cr->debug.created);
    }
    fputs("\nCHANNEL    msgs/max   refs  done  created\n", stderr);
    for (struct list_item *it = all_chans.first; it; it = it->next) {
        struct mill_chan_ *ch = CONTAINER(it, struct mill_chan_, debug.item);
        fprintf(stderr, "<%d>        %zu/%-8zu %-5d %-5s %s\n", ch->debug.id, ch->items, ch->bufsz, ch->refcount,
                ch->done ? "yes" : "no", ch->debug.created);
    }
}
