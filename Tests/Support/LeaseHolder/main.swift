internal import Glibc
internal import GridCore
internal import GridStoreEtcd
internal import Synchronization

// Holds a lease in etcd while every thread of the cooperative pool is blocked, as a process of its own so that nobody
// else's pool is. Prints “RENEWALS LONGEST-GAP-IN-MS LOSSES KEPT”, all of the time during which the pool was blocked:
// KEPT says whether the key that was put under the lease is still the same entry afterwards.
//
//   LeaseHolder ETCD-URL SECONDS

struct BootClock: GridClock {
  func now() -> MonotonicTime {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  func date() -> CalendarTime { CalendarTime(millisecondsSince1970: 0) }
}

final class Observer: LeaseObserver {
  let renewals = Mutex<[MonotonicTime]>([])
  let losses = Atomic(0)

  func leaseRenewed(sentAt: MonotonicTime) { renewals.withLock { $0.append(sentAt) } }
  func leaseLost(_ reason: GridError) { losses.add(1, ordering: .relaxed) }
}

guard CommandLine.arguments.count == 3, let seconds = UInt32(CommandLine.arguments[2]) else { exit(64) }
let clock = BootClock()
let store = try EtcdCoordinationStore(EtcdConfiguration(parsing: CommandLine.arguments[1]), clock: clock)
let observer = Observer()
let lease = try await store.grantLease(timeToLive: .seconds(2), observer: observer)
let put = try await store.commit(
  StoreTransaction(then: [.put(key: "/held", value: Array("1".utf8), lease: lease.identifier)]))

let began = clock.now()
await withTaskGroup(of: Void.self) { group in
  // More than there are threads, so that none is left.
  for _ in 0..<(2 * sysconf(Int32(_SC_NPROCESSORS_ONLN)) + 4) {
    group.addTask {
      let end = clock.now() + .seconds(Int64(seconds))
      while clock.now() < end { usleep(10_000) }
    }
  }
}
let ended = clock.now()

let renewals = [began] + observer.renewals.withLock { $0.filter { $0 > began && $0 < ended } } + [ended]
let gap = zip(renewals, renewals.dropFirst()).map { $1 - $0 }.max() ?? .zero
let isKept = try await store.get("/held")?.createRevision == put.revision
print(renewals.count - 2, gap.wholeNanoseconds / 1_000_000, observer.losses.load(ordering: .relaxed), isKept)
await store.close()
