# The functions of libc that are host functions: a door each, whose number nobody else needs to know. What they do is in
# runtime/libc, under the same names.

        .include "doors.inc"

        .macro  host function
        .globl  \function
        .set    door_\function, 0x6e00 + \@
\function:
        door    door_\function
        ret
        .endm

# Another name of the function that follows.
        .macro  also name
        .globl  \name
\name:
        .endm

        .text

# sys/wait.h
        host    wait
        host    waitpid

# unistd.h
        host    write
        host    isatty

# stdio.h
        host    printf
        host    vprintf
        host    __printf_chk
        host    __vprintf_chk
        host    fprintf
        host    vfprintf
        host    __fprintf_chk
        host    __vfprintf_chk
        host    dprintf
        host    vdprintf
        host    __dprintf_chk
        host    __vdprintf_chk
        host    sprintf
        host    vsprintf
        host    __sprintf_chk
        host    __vsprintf_chk
        host    snprintf
        host    vsnprintf
        host    __snprintf_chk
        host    __vsnprintf_chk
        host    asprintf
        host    vasprintf
        host    __asprintf_chk
        host    __vasprintf_chk
        also    putchar_unlocked
        host    putchar
        also    _IO_putc
        also    fputc
        also    putc_unlocked
        also    fputc_unlocked
        host    putc
        host    __overflow
        host    puts
        also    fputs_unlocked
        host    fputs
        also    fwrite_unlocked
        host    fwrite
        host    perror
        also    fflush_unlocked
        host    fflush
        host    fclose
        also    fileno_unlocked
        host    fileno
        also    feof_unlocked
        host    feof
        also    ferror_unlocked
        host    ferror
        also    clearerr_unlocked
        host    clearerr
        host    setvbuf
        host    setbuf
        host    setbuffer
        host    setlinebuf
        also    funlockfile
        host    flockfile
        host    ftrylockfile
        also    getchar_unlocked
        host    getchar
        also    _IO_getc
        also    fgetc
        also    getc_unlocked
        also    fgetc_unlocked
        also    __uflow
        host    getc
        host    ungetc
        also    fgets_unlocked
        host    fgets
        also    fread_unlocked
        host    fread
        host    getline
        also    __getdelim
        host    getdelim
        host    scanf
        host    vscanf
        host    __isoc99_scanf
        host    __isoc99_vscanf
        host    __isoc23_scanf
        host    __isoc23_vscanf
        host    fscanf
        host    vfscanf
        host    __isoc99_fscanf
        host    __isoc99_vfscanf
        host    __isoc23_fscanf
        host    __isoc23_vfscanf
        host    sscanf
        host    vsscanf
        host    __isoc99_sscanf
        host    __isoc99_vsscanf
        host    __isoc23_sscanf
        host    __isoc23_vsscanf

# stdlib.h: numbers
        also    strtoll
        also    strtoimax
        also    strtoq
        host    strtol
        also    strtoull
        also    strtoumax
        also    strtouq
        host    strtoul
        also    __isoc23_strtoll
        also    __isoc23_strtoimax
        host    __isoc23_strtol
        also    __isoc23_strtoull
        also    __isoc23_strtoumax
        host    __isoc23_strtoul
# Not to be called by programs: the bits of what strtod, strtof and strtold return.
        host    __strtod_bits
        host    __strtof_bits
        host    __strtold_bits

# assert.h. Not to be called by programs: what is said before abort().
        host    __assert_message
        host    __assert_perror_message

# stdlib.h
        host    malloc
        host    calloc
        host    realloc
        host    reallocarray
        host    free
        also    aligned_alloc
        host    memalign
        host    posix_memalign
        host    valloc
        host    malloc_usable_size
        also    secure_getenv
        host    getenv
        also    rand
        host    random
        also    srand
        host    srandom
        host    rand_r
        host    lrand48
        host    nrand48
        host    mrand48
        host    jrand48
        host    srand48
        host    seed48
        host    lcong48
# Not to be called by programs: 48 random bits, for drand48 and erand48.
        host    __bits48

# string.h: bytes
        host    memcpy
        also    __mempcpy
        host    mempcpy
        host    memmove
        host    memset
        also    bcmp
        host    memcmp
        host    memchr
        also    __memrchr
        host    memrchr
        also    __rawmemchr
        host    rawmemchr
        host    memmem
        host    memccpy
        host    bzero
        host    bcopy
        host    explicit_bzero
        host    __memcpy_chk
        host    __mempcpy_chk
        host    __memmove_chk
        host    __memset_chk
        host    __explicit_bzero_chk

# string.h: strings
        host    strlen
        host    strnlen
        host    strcpy
        also    __stpcpy
        host    stpcpy
        host    strncpy
        also    __stpncpy
        host    stpncpy
        host    strcat
        host    strncat
        host    strlcpy
        host    strlcat
        also    strcoll
        host    strcmp
        host    strncmp
        also    __strcasecmp
        host    strcasecmp
        host    strncasecmp
        host    strxfrm
        also    index
        host    strchr
        also    rindex
        host    strrchr
        host    strchrnul
        host    strstr
        host    strcasestr
        host    strspn
        host    strcspn
        host    strpbrk
        host    strtok
        also    __strtok_r
        host    strtok_r
        also    __strsep_g
        host    strsep
        also    __strdup
        host    strdup
        also    __strndup
        host    strndup
        host    strerror
        host    strerror_r
        host    __xpg_strerror_r
        host    strsignal
        host    __strcpy_chk
        host    __stpcpy_chk
        host    __strncpy_chk
        host    __stpncpy_chk
        host    __strcat_chk
        host    __strncat_chk

# ctype.h
        host    isalnum
        host    isalpha
        host    isblank
        host    iscntrl
        host    isdigit
        host    isgraph
        host    islower
        host    isprint
        host    ispunct
        host    isspace
        host    isupper
        host    isxdigit
        host    tolower
        host    toupper
        host    __ctype_b_loc
        host    __ctype_tolower_loc
        host    __ctype_toupper_loc
        host    __ctype_get_mb_cur_max

# time.h, sys/time.h
        host    time
        host    clock
        host    gettimeofday
        host    clock_gettime
        host    clock_getres
        host    gmtime
        host    gmtime_r
        host    localtime
        host    localtime_r
        host    mktime
        host    timegm
        host    asctime
        host    asctime_r
        host    ctime
        host    ctime_r
        host    strftime
        host    tzset
# Not to be called by programs: when clock_nanosleep is to wake, on the machine's clock.
        host    __wake_time

# What compilers call by themselves.
        host    __stack_chk_fail
        host    __chk_fail
        host    __fortify_fail

# C++: operators new and delete, local statics, and what only exceptions need
        also    _Znam
        host    _Znwm
        also    _ZnamRKSt9nothrow_t
        host    _ZnwmRKSt9nothrow_t
        also    _ZnamSt11align_val_t
        host    _ZnwmSt11align_val_t
        also    _ZnamSt11align_val_tRKSt9nothrow_t
        host    _ZnwmSt11align_val_tRKSt9nothrow_t
        also    _ZdaPv
        also    _ZdlPvm
        also    _ZdaPvm
        also    _ZdlPvRKSt9nothrow_t
        also    _ZdaPvRKSt9nothrow_t
        also    _ZdlPvSt11align_val_t
        also    _ZdaPvSt11align_val_t
        also    _ZdlPvmSt11align_val_t
        also    _ZdaPvmSt11align_val_t
        host    _ZdlPv
        host    __cxa_guard_acquire
        host    __cxa_guard_release
        host    __cxa_guard_abort
        also    __cxa_deleted_virtual
        host    __cxa_pure_virtual
        host    _ZSt9terminatev
        host    __gxx_personality_v0
        host    _Unwind_Resume
        host    __cxa_allocate_exception
        host    __cxa_free_exception
        host    __cxa_throw
        host    __cxa_rethrow
        host    __cxa_begin_catch
        host    __cxa_end_catch
        also    _ZSt28__throw_bad_array_new_lengthv
        host    __cxa_throw_bad_array_new_length
        host    __cxa_bad_cast
        host    __cxa_bad_typeid
        host    _ZSt17__throw_bad_allocv
        host    _ZSt20__throw_length_errorPKc
        host    _ZSt19__throw_logic_errorPKc
        host    _ZSt20__throw_out_of_rangePKc
        host    _ZSt24__throw_out_of_range_fmtPKcz
        host    _ZSt25__throw_bad_function_callv
