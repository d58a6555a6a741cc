#include "base.hpp"

static Early early;

struct Derived : Base {
  long call(long number) override { return Base::call(number) * 10; }
};

int main() {
  Derived derived;
  Base base;
  put("derived", elsewhere(&derived));
  put("base", elsewhere(&base));
  put("twice", twice(4L));
  put("shared", shared);
  put("early", early.value);
  return 3;
}
