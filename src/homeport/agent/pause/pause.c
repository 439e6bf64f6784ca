/*
 * The process that keeps a task's namespaces open: it waits for a signal to end, and reaps what is
 * left to it where it is the first process of a task (pidMode "task").
 *
 * No C library, so that the image is this one file of under a kilobyte. Built by scripts/pause;
 * the binaries are in this directory, one for each CPU architecture.
 */

typedef unsigned long word;

enum { SIGINT = 2, SIGTERM = 15, SIGCHLD = 17, WNOHANG = 1, SIG_BLOCK = 0 };

#if defined(__x86_64__)
enum { RT_SIGPROCMASK = 14, RT_SIGTIMEDWAIT = 128, WAIT4 = 61, EXIT_GROUP = 231 };

static long call(long number, word a, word b, word c, word d) {
    long result;
    register word r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
enum { RT_SIGPROCMASK = 135, RT_SIGTIMEDWAIT = 137, WAIT4 = 260, EXIT_GROUP = 94 };

static long call(long number, word a, word b, word c, word d) {
    register word x8 __asm__("x8") = number;
    register word x0 __asm__("x0") = a;
    register word x1 __asm__("x1") = b;
    register word x2 __asm__("x2") = c;
    register word x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#else
#error "no system calls known for this architecture"
#endif

static word bit(int signal) { return 1UL << (signal - 1); }

void _start(void) {
    word waited_for = bit(SIGINT) | bit(SIGTERM) | bit(SIGCHLD);
    call(RT_SIGPROCMASK, SIG_BLOCK, (word)&waited_for, 0, sizeof waited_for);
    for (;;) {
        long signal = call(RT_SIGTIMEDWAIT, (word)&waited_for, 0, 0, sizeof waited_for);
        if (signal == SIGINT || signal == SIGTERM) call(EXIT_GROUP, 0, 0, 0, 0);
        while (call(WAIT4, (word)-1, 0, WNOHANG, 0) > 0) {
        }
    }
}
