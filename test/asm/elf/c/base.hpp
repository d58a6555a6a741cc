// What every file that includes it has a copy of, of which a linker keeps one.

extern "C" void put(const char *name, long number);

struct Base {
  virtual long call(long number) {
    static long calls;
    return number + ++calls;
  }
};

template <class T> T twice(T number) {
  static T sum;
  sum += number;
  return 2 * number + sum;
}

inline long shared = 5;

struct Early {
  long value;
  Early() : value(77) { put("constructor", shared++); }
};

long elsewhere(Base *base);
