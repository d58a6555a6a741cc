#include "base.hpp"

static Early early;

long elsewhere(Base *base) { return base->call(3) + twice(1L) + early.value; }
