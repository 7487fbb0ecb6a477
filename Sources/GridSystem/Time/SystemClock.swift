internal import Glibc
package import GridCore

/// The machine's clocks: `CLOCK_BOOTTIME`, which goes on while the machine sleeps and is the same for all its
/// processes, and the calendar.
package struct SystemClock: GridClock {
  package init() {}

  package func now() -> MonotonicTime { MonotonicTime(nanoseconds: Self.read(CLOCK_BOOTTIME)) }

  package func date() -> CalendarTime {
    CalendarTime(millisecondsSince1970: Self.read(CLOCK_REALTIME) / 1_000_000)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
