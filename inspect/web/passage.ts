/** The passage that is about a moment: the one that is read, unless a later one has come, or it is still to come. */
export function passageAt(moments: readonly (number | undefined)[], read: number, moment: number): number {
  let index =
    (moments[read] ?? Number.POSITIVE_INFINITY) <= moment ? read : moments.findIndex((one) => one !== undefined);
  const from = moments[index];
  for (const [later, at] of moments.entries()) {
    if (at !== undefined && at <= moment && at > (from ?? -1)) index = later;
  }
  return Math.max(0, index);
}
